import type { LoadPolicy } from '../policy/load-policy.js';

/** The workers of a pool in numbers. */
export interface FleetCounts {
  /**
   * Workers that are present: those that have an instance and were not reported down; without a source of instances, those
   * that are known or held. Each of them is busy, free or unknown.
   */
  readonly workers: number;
  /** Workers in the busy set, also those that are not present. */
  readonly busy: number;
  /** Present workers that are free. */
  readonly free: number;
  /** Present workers that are unknown. */
  readonly unknown: number;
  /** Workers that are judged: known, and with values or a config. */
  readonly known: number;
  /** Workers whose loads are held until discovery knows them. */
  readonly held: number;
  /** Workers with an overload mark; they count as busy. */
  readonly overloadMarked: number;
  /** Instances in both roles. */
  readonly instances: number;
  /** Instances that were reported down. */
  readonly down: number;
}

/**
 * The state of a pool or a model for a router: `none`, there are no workers; `all-busy`, every worker is busy; `partial`, at
 * least one is busy; `free`, none is busy and at least one is free; `unknown`, no worker can be judged.
 */
export type FleetState = 'none' | 'unknown' | 'free' | 'partial' | 'all-busy';

/**
 * The state of a pool, from its counts.
 *
 * 1. It distinguishes overload from outage: a pool without workers is never `all-busy`, and a busy one is never `none`.
 * 2. Workers that are not present do not count: those that were reported down, and those that left.
 * 3. A worker that cannot be judged is never taken for free or busy: with one, a pool is not `all-busy`.
 *
 * @example
 * ```ts
 * import { fleetStateOf } from 'tidemark';
 *
 * const others = { known: 3, held: 0, overloadMarked: 0, instances: 3, down: 0 };
 * console.log(fleetStateOf({ ...others, workers: 3, busy: 1, free: 2, unknown: 0 }));
 * console.log(fleetStateOf({ ...others, workers: 3, busy: 3, free: 0, unknown: 0 }));
 * // Logs: partial
 * // Logs: all-busy
 * ```
 *
 * @see {@link modelStateOf}
 */
export function fleetStateOf({ workers, free, unknown }: FleetCounts): FleetState {
  if (workers === 0) return 'none';
  if (free + unknown === 0) return 'all-busy';
  if (free + unknown < workers) return 'partial';
  return free > 0 ? 'free' : 'unknown';
}

const fromWorstToBest = ['none', 'all-busy', 'unknown', 'partial', 'free'] as const satisfies FleetState[];

/** The workers of a model, by role. `null`: no such workers are registered. `decode` includes aggregated workers. */
export interface ModelRoles {
  readonly decode: FleetCounts | null;
  readonly prefill: FleetCounts | null;
}

/**
 * The state of a model: the worst state among the roles that it needs, from worst to best `none`, `all-busy`, `unknown`,
 * `partial`, `free`.
 *
 * 1. A model always needs decode or aggregated workers. Without them it is `none`.
 * 2. It needs prefill workers while at least one is present, if the policy says `prefillForModel: 'needed-while-registered'`.
 *
 * @example
 * ```ts
 * import { modelStateOf, policies } from 'tidemark';
 *
 * const counts = { workers: 2, known: 2, held: 0, overloadMarked: 0, instances: 2, down: 0, unknown: 0 };
 * const [full, idle] = [{ ...counts, busy: 2, free: 0 }, { ...counts, busy: 0, free: 2 }];
 * console.log(modelStateOf({ decode: full, prefill: idle }, policies.default));
 * console.log(modelStateOf({ decode: idle, prefill: full }, policies['dynamo-1.1']));
 * // Logs: all-busy
 * // Logs: free
 * ```
 *
 * @see {@link fleetStateOf}
 */
export function modelStateOf(
  { decode, prefill }: ModelRoles,
  { prefillForModel }: Pick<LoadPolicy, 'prefillForModel'>,
): FleetState {
  if (decode === null) return 'none';
  const isPrefillNeeded = prefillForModel === 'needed-while-registered' && (prefill?.workers ?? 0) > 0;
  const needed = prefill !== null && isPrefillNeeded ? [decode, prefill] : [decode];
  const states = needed.map(fleetStateOf);
  return fromWorstToBest.find((state) => states.includes(state)) ?? 'none';
}
