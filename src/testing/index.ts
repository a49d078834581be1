// The reference model, and playing recordings.
export type { ModelState } from './model/state.js';
export { firstStep, step, type ModelStep } from './model/model.js';
export {
  playRecording,
  type FailedExpectation,
  type PlayedRecording,
  type PlayOptions,
} from './recordings/play-recording.js';
export type { PlayerName } from './recordings/play-recording.js';

// Building blocks of tests.
export { fleetEvents, type WorkerName } from './fakes/fleet-events.js';
export { fakeSource, type FakeSource } from './fakes/fake-source.js';
export type { ConformanceCase } from './conformance/conformance-case.js';
export { keySourceCases, type KeySourceHarness } from './conformance/key-source-cases.js';
export { messageSourceCases, type MessageSourceHarness } from './conformance/message-source-cases.js';
export { sinkCases, type SinkHarness } from './conformance/sink-cases.js';

// Marble files.
export { assertMarble, failureText } from './marble/run/assert-marble.js';
export { drawMarble } from './marble/draw/draw-marble.js';
export { fleetOperators } from './marble/operators/fleet-operators.js';
export { MarbleError, type MarbleErrorCode } from './marble/grammar/marble.js';
export { parseMarble } from './marble/grammar/parse-marble.js';
export { runMarble } from './marble/run/run-marble.js';
export { updateMarble } from './marble/run/update-marble.js';
export type {
  Marble,
  MarbleBinding,
  MarbleCall,
  MarbleNotification,
  MarbleStream,
  MarbleSubscription,
} from './marble/grammar/marble.js';
export type {
  BuildMarbleOperator,
  MarbleContext,
  MarbleOperator,
  MarbleOperators,
  MarbleOutputs,
} from './marble/run/marble-operator.js';
export type {
  MarbleEmission,
  MarbleResult,
  OutputResult,
  SubscriptionsResult,
  SubscriptionTimes,
} from './marble/run/marble-result.js';
export type { JsonValue } from '../wire/json/json-value.js';
