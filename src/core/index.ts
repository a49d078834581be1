// Identities and values.
export {
  compareWorkerIds,
  workerId,
  workerIdFromBigInt,
  workerIdFromHex,
  WorkerIdError,
  type WorkerId,
} from './worker-id.js';
export type { ActiveLoad } from './active-load.js';
export type { Count } from './count.js';
export type { RuntimeConfig } from './runtime-config.js';
export { TidemarkError } from './tidemark-error.js';

// Marks and policies.
export type { LoadThresholds, LoadThresholdUpdate } from './load-thresholds.js';
export { LoadThresholdConfig, ThresholdError } from './load-threshold-config.js';
export { thresholdProblems } from './threshold-problems.js';
export type {
  CleanupRule,
  JudgedOn,
  LoadFormat,
  LoadPolicy,
  RequestMarks,
  RollUp,
  UnknownWorkers,
  WirePolicy,
} from './load-policy.js';
export { policies, type PolicyName } from './policies.js';
export { policyCells } from './policy-cells.js';
export { policyNamed, UnknownPolicyError } from './policy-named.js';

// The judgement.
export { isBusy } from './is-busy.js';
export { judge } from './judge.js';
export { rankChecks, type CheckResult, type LoadCheck } from './rank-checks.js';
export type { RankState, RankStates } from './rank-state.js';
export type { DecodeLatch } from './decode-latch.js';
export { declaredRanks, type RankRange } from './rank-range.js';
export type { RankVerdict, Verdict, VerdictReason } from './verdict.js';

// What enters the reducer, and what leaves it.
export type {
  FleetEvent,
  FleetSource,
  FleetStart,
  LoadReported,
  Role,
  SchedulerLoad,
  ThresholdsChanged,
} from './fleet-event.js';
export type { Cleanup, WorkerType } from './cleanup.js';
export type { Problem, ProblemCode } from './problem.js';
export type { Transition } from './transition.js';
