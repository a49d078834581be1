/** The workers of a pool in numbers. */
export interface FleetCounts {
  /** Workers that are judged: known, and with values or a config. */
  readonly known: number;
  /** Workers whose loads are held until discovery knows them. */
  readonly held: number;
  readonly busy: number;
  /** Workers with an overload mark; they count as busy. */
  readonly overloadMarked: number;
  /** Instances in both roles. */
  readonly instances: number;
  /** Instances that were reported down. */
  readonly down: number;
}

/**
 * The state of a pool for a router: `none`, there are no workers; `unknown`, there are workers, and none of them is judged
 * yet; `free`, no judged worker is busy; `partial`, some are busy; `all-busy`, all are busy.
 */
export type FleetState = 'none' | 'unknown' | 'free' | 'partial' | 'all-busy';

/**
 * The state of a pool, from its counts.
 *
 * 1. It distinguishes overload from outage: a pool without workers is never `all-busy`, and a busy one is never `none`.
 * 2. Workers whose loads are held count as present but not judged. Workers that were reported down count as absent.
 *
 * @example
 * ```ts
 * import { fleetStateOf } from 'tidemark';
 *
 * const counts = { known: 3, held: 0, busy: 1, overloadMarked: 0, instances: 3, down: 0 };
 * console.log(fleetStateOf(counts), fleetStateOf({ ...counts, busy: 3 }));
 * // Logs: partial all-busy
 * ```
 */
export function fleetStateOf({ known, held, busy, instances, down }: FleetCounts): FleetState {
  if (busy > 0) return busy >= known ? 'all-busy' : 'partial';
  if (known > 0) return 'free';
  return held > 0 || instances - down > 0 ? 'unknown' : 'none';
}
