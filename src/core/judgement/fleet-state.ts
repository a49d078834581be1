/** How the fleet stands, in numbers. */
export interface FleetCounts {
  /** Workers that are judged: known, and with a state. */
  readonly known: number;
  /** Workers whose loads are held until discovery knows them. */
  readonly held: number;
  readonly busy: number;
  /** Workers that the request path marked; they count as busy. */
  readonly overloadMarked: number;
  /** Instances told, in both roles, and those of them that were reported down. */
  readonly instances: number;
  readonly down: number;
}

/**
 * How a pool stands, for who routes to it: `none`, nobody is there; `unknown`, workers are there and none of them is
 * judged yet; `free`, no judged worker is busy; `partial`, some are; `all-busy`, all are.
 */
export type FleetState = 'none' | 'unknown' | 'free' | 'partial' | 'all-busy';

/**
 * How a pool stands, of its counts.
 *
 * 1. Overload and outage are told apart: `all-busy` is never said of a pool without a worker, nor `none` of a busy one.
 * 2. Workers whose loads are held count as there and not judged. Workers that were reported down count as not there.
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
