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
export type { EndpointName } from './endpoint-name.js';
export type { PoolName } from './pool-name.js';
export type { WorkerChange, WorkerInfo } from './worker-info.js';
export { TidemarkError } from './tidemark-error.js';
export { PackageError, type PackageErrorCode } from './package-error.js';

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
export type { BusySet } from './busy-set.js';
export type { FleetCounts } from './fleet-counts.js';
export { fleetStateOf, type FleetState } from './fleet-state.js';
export type { FleetStep } from './fleet-step.js';
export type { FleetRanks } from './fleet-ranks.js';
export type { CheckExplanation, Explanation, RankExplanation } from './explanation.js';
export type { SourceState, SourceStatus } from './source-status.js';

// The reducer and the monitor.
export { FleetLoad } from './fleet-load/fleet-load.js';
export { reduceFleet } from './reduce-fleet.js';
export { busySets } from './busy-sets.js';
export { transitions } from './transitions.js';
export { cleanups } from './cleanups.js';
export { performCleanup, type CleanupOutcome, type CleanupSink } from './perform-cleanup.js';
export { loadMonitor, type LoadMonitor, type MonitorSnapshot } from './load-monitor/load-monitor.js';
export type { ConfigChange, InstanceChange, MonitorSources } from './load-monitor/monitor-sources.js';
export type { AbortSignalLike } from './abort-signal-like.js';
export type { MonitorOptions } from './load-monitor/monitor-options.js';

// The aggregator of scraped statistics.
export { metricsAggregator, type MetricsAggregator } from './aggregator/metrics-aggregator.js';
export { AggregatorOptionsError, type MetricsAggregatorOptions } from './aggregator/aggregator-options.js';
export type { AggregatorPolicy, StatsWirePolicy } from './aggregator/aggregator-policy.js';
export { aggregatorPolicies } from './aggregator/aggregator-policies.js';
export { ProcessedEndpoints } from './aggregator/processed-endpoints.js';
export type { Endpoint } from './aggregator/endpoint.js';
export { kvActiveBlocks, type LoadMetrics, type PredictiveLoadMetrics } from './aggregator/load-metrics.js';
export type {
  ForwardPassMetrics,
  KvStats,
  SpecDecodeStats,
  WorkerStats,
} from './aggregator/forward-pass-metrics.js';
export { engineLoads } from './aggregator/engine-loads.js';
export { kvHitRate, type KvHitRate, type KvHitRateEvent } from './aggregator/kv-hit-rate.js';
export type { Scrape, ScrapeReply } from './aggregator/scrape.js';
export { ScrapeError, type ScrapeErrorCode } from './aggregator/scrape-error.js';
export { readScrape, type ScrapeReading, type ScrapeResult } from './aggregator/read-scrape.js';
export type { ReplyDecoder, ScrapedEndpoint, ScrapedReply } from './aggregator/scraped-reply.js';

// The hot path.
export { NO_VALUE, WIDE_VALUE, type LoadBatch } from './load-batch.js';
export { WorkerTable } from './worker-table.js';

// Generic operators.
export { attachLate, type SecondWatch, type WatchItem } from '../operators/attach-late.js';
export { setDifference, type SetDifference } from '../operators/set-difference.js';
export { trampoline } from '../operators/trampoline.js';
