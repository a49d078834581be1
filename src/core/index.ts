// Identities.
export {
  compareWorkerIds,
  workerId,
  workerIdFromBigInt,
  workerIdFromHex,
  WorkerIdError,
  type WorkerId,
} from './worker-id.js';
export type {
  ActiveLoad,
  RuntimeConfig,
  FleetEvent,
  PoolRole,
  FleetStart,
  InstancesListed,
  LoadReceived,
  Role,
  SchedulerLoad,
  ThresholdTarget,
  ThresholdsChanged,
} from './events/fleet-event.js';
export type { Count } from './count.js';
export type {
  EndpointName,
  FleetModel,
  ModelPool,
  ModelReadiness,
  PoolName,
  WorkerChange,
  WorkerInfo,
  WorkerRole,
} from './sources/worker-info.js';
export { TidemarkError, PackageError, type PackageErrorCode } from './errors.js';

// Thresholds and policies.
export type { LoadThresholds, LoadThresholdUpdate } from './policy/load-thresholds.js';
export { LoadThresholdConfig, ThresholdError, thresholdProblems } from './policy/load-threshold-config.js';
export type {
  CleanupRule,
  JudgedOn,
  LoadFormat,
  LoadPolicy,
  OverloadMarks,
  RollUp,
  UnknownWorkers,
  WirePolicy,
} from './policy/load-policy.js';
export { policies, type PolicyName, policyNamed, UnknownPolicyError } from './policy/policies.js';
export { policyCells } from './policy/load-policy.js';

// Judgement.
export { isBusy } from './judgement/is-busy.js';
export { judge } from './judgement/verdict.js';
export { rankChecks, type CheckResult, type LoadCheck } from './judgement/rank-checks.js';
export type { RankState, RankStates, DecodeLatch } from './judgement/rank-state.js';
export { declaredRanks, type RankRange } from './judgement/rank-state.js';
export type { RankVerdict, Verdict, VerdictReason } from './judgement/verdict.js';

// Results of the reducer.
export type { Cleanup } from './state/cleanup.js';
export type { Problem, ProblemCode } from './sources/problem.js';
export type { Transition, FleetStep } from './state/fleet-step.js';
export type { BusySet } from './state/busy-set.js';
export type { FleetCounts } from './judgement/fleet-state.js';
export { fleetStateOf, modelStateOf, type FleetState, type ModelRoles } from './judgement/fleet-state.js';
export type { UnknownReason, WorkerState } from './judgement/worker-state.js';
export type { FleetRanks, RankValues, WorkerRanks } from './state/fleet-ranks.js';
export type { CheckExplanation, Explanation, RankExplanation } from './judgement/explanation.js';
export type { SourceState, SourceStatus } from './sources/source-status.js';

// Sources of keys and messages.
export { MemoryKeys, type KeyBatch, type KeyChange, type KeySource } from './sources/key-source.js';
export { MemoryMessages, type Message, type MessageSource } from './sources/message-source.js';

// Pipeline: the parts of a monitor, and the monitor.
export type { FleetInput } from './pipeline/fold-fleet.js';
export { reduceFleet } from './pipeline/reduce-fleet.js';
export { configEvents, loadEvents, thresholdEvents } from './pipeline/source-events.js';
export { instanceEvents, prefillEvents } from './pipeline/instance-events.js';
export { busySets, transitions, cleanups, problems } from './pipeline/selections.js';
export { performCleanup, type CleanupOutcome, type CleanupSink } from './pipeline/perform-cleanup.js';
export { loadMonitor, type LoadMonitor, type MonitorSnapshot } from './pipeline/load-monitor.js';
export type {
  ConfigChange,
  InstanceChange,
  MonitorSources,
  AbortSignalLike,
  MonitorOptions,
} from './pipeline/monitor-sources.js';
