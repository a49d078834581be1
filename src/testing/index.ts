// The reference model, and recordings played.
export type { ModelState } from './model-state.js';
export { firstStep, step, type ModelStep } from './model.js';
export {
  playRecording,
  type FailedExpectation,
  type PlayedRecording,
  type PlayOptions,
} from './play-recording.js';
export type { PlayerName } from './player.js';

// What tests are made of.
export { fleetEvents, type WorkerName } from './fleet-events.js';
export { fakeSource, type FakeSource } from './fake-source.js';
export type { ConformanceCase } from './conformance/conformance-case.js';
export { sourceCases, type SourceHarness } from './conformance/source-cases.js';
export { sinkCases, type SinkHarness } from './conformance/sink-cases.js';

// Marble files.
export { assertMarble } from './marble/assert-marble.js';
export { drawMarble } from './marble/draw-marble.js';
export { failureText } from './marble/failure-text.js';
export { fleetOperators } from './marble/fleet-operators.js';
export { MarbleError, type MarbleErrorCode } from './marble/marble-error.js';
export { parseMarble } from './marble/parse-marble.js';
export { runMarble } from './marble/run-marble.js';
export { updateMarble } from './marble/update-marble.js';
export type {
  Marble,
  MarbleBinding,
  MarbleCall,
  MarbleMark,
  MarbleStream,
  MarbleSubscription,
} from './marble/marble.js';
export type {
  BuildMarbleOperator,
  MarbleContext,
  MarbleOperator,
  MarbleOperators,
  MarbleOutputs,
} from './marble/marble-operator.js';
export type {
  MarbleEmission,
  MarbleResult,
  OutputResult,
  SubscriptionsResult,
  SubscriptionTimes,
} from './marble/marble-result.js';
export type { JsonValue } from '../wire/json-value.js';
