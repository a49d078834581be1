import type { FleetCounts } from './fleet-counts.js';

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
 * const counts = { known: 3, held: 0, busy: 1, marked: 0, instances: 3, down: 0 };
 * console.log(fleetStateOf(counts), fleetStateOf({ ...counts, busy: 3 }));
 * // Logs: partial all-busy
 * ```
 */
export function fleetStateOf({ known, held, busy, instances, down }: FleetCounts): FleetState {
  if (busy > 0) return busy >= known ? 'all-busy' : 'partial';
  if (known > 0) return 'free';
  return held > 0 || instances - down > 0 ? 'unknown' : 'none';
}
