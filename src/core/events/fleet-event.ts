import type { Count } from '../count.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';

/**
 * The load of one rank of one worker (Dynamo's `ActiveLoad`).
 *
 * `null` means that the message has no such value: the last value is kept. `0` is a value.
 */
export interface ActiveLoad {
  readonly workerId: WorkerId;
  /** The data-parallel rank, 0 to 2^32 − 1. */
  readonly dpRank: number;
  /** KV cache blocks of running sequences, as the router or the worker counts them. */
  readonly activeDecodeBlocks: Count | null;
  /** Prompt tokens that wait for prefill or are in it. */
  readonly activePrefillTokens: Count | null;
  /** KV cache blocks in use, as the engine reports them. Workers send it since release 1.1. */
  readonly kvUsedBlocks: Count | null;
}

/**
 * A worker's config: what its model card says about its size. An absent field is unknown, except that
 * `dataParallelStartRank` is 0 and `dataParallelSize` is 1 when absent.
 */
export interface RuntimeConfig {
  /** KV cache blocks of each rank. */
  readonly totalKvBlocks?: Count;
  /** The maximum number of tokens of one engine step of a rank. */
  readonly maxNumBatchedTokens?: Count;
  /** The first data-parallel rank, 0 to 2^32 − 1. */
  readonly dataParallelStartRank?: number;
  /** The number of ranks, 0 to 2^32 − 1. With 0 the ranks of the worker are known: it has none. */
  readonly dataParallelSize?: number;
}

/** What a worker does in a disaggregated fleet. It is also the `worker_type` label of the worker's metric series. */
export type Role = 'decode' | 'prefill';

/** The role of a pool's own workers. The metric series of `aggregated` workers have the type `decode`. */
export type PoolRole = 'aggregated' | Role;

/** A load message arrived: its load, and the header of its envelope. */
export interface LoadReceived extends ActiveLoad {
  readonly kind: 'load';
  /** A topic other than `kv_metrics` is ignored; `kv_metrics` when absent. */
  readonly topic?: string;
  /** The name that a recording gives the source of the message. */
  readonly source?: string;
  /** The publisher's id, its sequence number of this message, and its wall clock in Unix milliseconds. */
  readonly publisherId?: string;
  readonly sequence?: Count;
  readonly publishedAt?: Count;
}

/** The load of one rank as the local scheduler counts it. */
export interface SchedulerLoad {
  readonly workerId: WorkerId;
  readonly dpRank: number;
  readonly activeDecodeBlocks: Count;
  readonly activePrefillTokens: Count;
}

/** What the reducer knows before the first event. */
export interface FleetStart {
  readonly thresholds?: LoadThresholdUpdate;
  /** The role of the pool; `aggregated` when absent. */
  readonly role?: PoolRole;
  /** The initial decode instances. Absent: there is no source of decode instances until its first event. */
  readonly decodeInstances?: readonly WorkerId[];
  /** The instances of a prefill watch that is attached from the start. */
  readonly prefillInstances?: readonly WorkerId[];
  /** `false`: subscribing to loads failed. */
  readonly loads?: boolean;
  /** Whether there is a source of configs. Absent: there is none until its first event. */
  readonly configs?: boolean;
}

/** What thresholds apply to: every pool, the pools of one role, or one worker in every pool. */
export type ThresholdTarget = 'everything' | { readonly role: PoolRole } | { readonly workerId: WorkerId };

/**
 * A change of thresholds.
 *
 * 1. It changes nothing in a pool that is not its `target`; `everything` when absent.
 * 2. With `checked`, a change that is refused, because of its values or its names, is a problem, and nothing changes.
 * 3. With `nullTurnsOff`, `null` turns a check off under every policy. Otherwise the policy decides what `null` means.
 * 4. If its target is a worker, its thresholds replace those that the worker had of its own; the worker has those of its
 *    pool for the others. Without any threshold, the worker has those of its pool again. They are kept while the worker is
 *    absent. At most 10 000 workers can have thresholds of their own: a change for one more is a problem.
 */
export interface ThresholdsChanged extends LoadThresholdUpdate {
  readonly kind: 'thresholds';
  readonly target?: ThresholdTarget;
  readonly checked?: boolean;
  readonly nullTurnsOff?: boolean;
}

/**
 * One instance joined or left: an instance of the pool's endpoint, or with role `prefill` one of a prefill watch (the open
 * one when `watch` is absent).
 */
export interface InstanceChanged {
  readonly kind: 'instance';
  readonly workerId: WorkerId;
  readonly present: boolean;
  readonly role?: Role;
  readonly watch?: number;
}

/**
 * A snapshot of the instances of one role, and how it differs from the one before. Only `removed` workers leave. Every
 * `present` worker is listed again, which revives a worker that was reported down.
 */
export interface InstancesListed {
  readonly added: readonly WorkerId[];
  readonly removed: readonly WorkerId[];
  readonly present: ReadonlySet<WorkerId>;
}

/** A problem that an adapter found before the reducer saw the event. */
export interface ProblemReported {
  readonly kind: 'problem';
  readonly problem: Problem;
}

/**
 * An input of the reducer. Kinds and fields are those of a recording, except that a recorded snapshot of instances has
 * only the workers that are present: {@link instanceEvents} finds the difference.
 *
 * 1. `configs`, `decodeInstances`, `prefillAttached` and `prefillInstances` are snapshots, whose cost grows with the fleet.
 *    `config` and `instance` change one worker.
 * 2. `marked` sets the overload mark of a worker, and `markExpired` removes it because its time is over.
 * 3. Prefill watches are numbered from 0 in the order in which they were attached. An event without `watch` is about the
 *    watch that was attached last.
 */
export type FleetEvent =
  | LoadReceived
  | ThresholdsChanged
  | { readonly kind: 'schedulerLoads'; readonly loads: readonly SchedulerLoad[] }
  | { readonly kind: 'configs'; readonly workers: ReadonlyMap<WorkerId, RuntimeConfig> }
  | { readonly kind: 'config'; readonly workerId: WorkerId; readonly config: RuntimeConfig | null }
  | ({ readonly kind: 'decodeInstances' | 'prefillAttached' } & InstancesListed)
  | InstanceChanged
  | ({ readonly kind: 'prefillInstances'; readonly watch?: number } & InstancesListed)
  | { readonly kind: 'prefillClosed'; readonly watch?: number }
  | { readonly kind: 'marked'; readonly workerId: WorkerId }
  | { readonly kind: 'markExpired'; readonly workerId: WorkerId }
  | { readonly kind: 'reportedDown'; readonly workerId: WorkerId }
  | { readonly kind: 'loadError'; readonly text?: string }
  | { readonly kind: 'configError'; readonly text?: string }
  | { readonly kind: 'instancesError'; readonly text?: string }
  | ProblemReported
  | { readonly kind: 'loadStreamEnded' | 'configsEnded' | 'instancesEnded' | 'stop' };
