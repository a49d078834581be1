import type { Count } from '../count.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';

/**
 * What one rank of one worker reports about its load (Dynamo's `ActiveLoad`).
 *
 * `null` means "no value in this report": the value reported before stays. `0` is a value.
 */
export interface ActiveLoad {
  readonly workerId: WorkerId;
  /** The data-parallel rank, 0 to 2^32 − 1. */
  readonly dpRank: number;
  /** KV cache blocks of running sequences, by the router's or the worker's bookkeeping. */
  readonly activeDecodeBlocks: Count | null;
  /** Prompt tokens that wait for or are in prefill. */
  readonly activePrefillTokens: Count | null;
  /** KV cache blocks in use, by the engine's own statement. Workers send it since release 1.1. */
  readonly kvUsedBlocks: Count | null;
}

/**
 * What the model card of a worker says about its size. A field that is absent is not known.
 *
 * `dataParallelStartRank` counts as 0 and `dataParallelSize` as 1 when absent.
 */
export interface RuntimeConfig {
  /** KV cache blocks of each rank. */
  readonly totalKvBlocks?: Count;
  /** Tokens that one engine step takes at most, for each rank. */
  readonly maxNumBatchedTokens?: Count;
  /** The first data-parallel rank, 0 to 2^32 − 1. */
  readonly dataParallelStartRank?: number;
  /** How many ranks the worker has, 0 to 2^32 − 1. */
  readonly dataParallelSize?: number;
}

/** The part a worker plays in a disaggregated fleet. */
export type Role = 'decode' | 'prefill';

/** The part of the monitored endpoint's own workers; it names the type of their metric series. */
export type PoolRole = 'aggregated' | Role;

/** One `ActiveLoad` arrived, with what its message said about its way here. */
export interface LoadReceived extends ActiveLoad {
  readonly kind: 'load';
  /** Another topic than `kv_metrics` is not for us. Absent: it is. */
  readonly topic?: string;
  readonly source?: string;
  /** The publisher's id, its running number for this message, and its wall clock in Unix milliseconds. */
  readonly publisherId?: string;
  readonly sequence?: Count;
  readonly publishedAt?: Count;
}

/** What the local scheduler's own bookkeeping says about one rank. */
export interface SchedulerLoad {
  readonly workerId: WorkerId;
  readonly dpRank: number;
  readonly activeDecodeBlocks: Count;
  readonly activePrefillTokens: Count;
}

/** How the reducer begins: what is known before the first event. */
export interface FleetStart {
  readonly thresholds?: LoadThresholdUpdate;
  /** The decode instances known at the beginning. Absent: there is no instance source until one speaks. */
  readonly decodeInstances?: readonly WorkerId[];
  /** A prefill watch is attached beforehand, with these instances. */
  readonly prefillInstances?: readonly WorkerId[];
  /** `false`: no load subscription could be made. */
  readonly loads?: boolean;
  /** Whether there is a source of cards. Absent: there is one as soon as it speaks. */
  readonly cards?: boolean;
  readonly source?: PoolRole;
}

/** A change of marks. `checked`: a person asked for it, so what the policy refuses is a problem, not a change. */
export interface ThresholdsChanged extends LoadThresholdUpdate {
  readonly kind: 'thresholds';
  readonly checked?: boolean;
}

/** One instance came or went: of the monitored endpoint, or (`prefill`) of a prefill watch, the open one if not told. */
export interface InstanceChanged {
  readonly kind: 'instance';
  readonly workerId: WorkerId;
  readonly present: boolean;
  readonly role?: Role;
  readonly watch?: number;
}

/** Something was wrong before it reached the reducer, and was survived: an adapter says so. */
export interface ProblemReported {
  readonly kind: 'problem';
  readonly problem: Problem;
}

/**
 * A fact that enters the reducer. Kinds and fields are those of a recording.
 *
 * `configs`, `decodeInstances` and `prefillInstances` replace what was known, at a cost that grows with the
 * fleet; `config` and `instance` change one worker. Prefill watches are numbered from 0 in the order in which
 * they were attached; an event without `watch` means the one attached last.
 */
export type FleetEvent =
  | LoadReceived
  | ThresholdsChanged
  | { readonly kind: 'schedulerLoads'; readonly loads: readonly SchedulerLoad[] }
  | { readonly kind: 'configs'; readonly workers: ReadonlyMap<WorkerId, RuntimeConfig> }
  | { readonly kind: 'config'; readonly workerId: WorkerId; readonly config: RuntimeConfig | null }
  | { readonly kind: 'decodeInstances'; readonly workerIds: readonly WorkerId[] }
  | InstanceChanged
  | { readonly kind: 'prefillAttached'; readonly workerIds: readonly WorkerId[] }
  | { readonly kind: 'prefillInstances'; readonly workerIds: readonly WorkerId[]; readonly watch?: number }
  | { readonly kind: 'prefillClosed'; readonly watch?: number }
  | { readonly kind: 'marked'; readonly workerId: WorkerId }
  | { readonly kind: 'markExpired'; readonly workerId: WorkerId }
  | { readonly kind: 'reportedDown'; readonly workerId: WorkerId }
  | { readonly kind: 'loadError'; readonly text?: string }
  | { readonly kind: 'configError'; readonly text?: string }
  | { readonly kind: 'instancesError'; readonly text?: string }
  | ProblemReported
  | { readonly kind: 'loadStreamEnded' | 'configsEnded' | 'instancesEnded' | 'stop' };
