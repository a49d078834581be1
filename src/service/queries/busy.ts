import { type FleetCounts, type FleetState, fleetStateOf } from '../../core/judgement/fleet-state.js';
import { NO_WORKERS_SECONDS, type PoolDescription } from './pool-summary.js';

/** The state of several pools together, and of each. */
export interface BusyReport {
  readonly state: FleetState;
  readonly retryAfterSeconds: number | null;
  readonly workers: FleetCounts;
  readonly pools: readonly PoolDescription[];
}

/** Sums up pools: their state together, and when a caller should ask again (`null`: a worker is free). */
export function busyReport(pools: readonly PoolDescription[]): BusyReport {
  const workers = sumCounts(pools.map((pool) => pool.workers));
  const state = fleetStateOf(workers);
  const waits = pools.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
  const isWaiting = state !== 'free' && state !== 'partial';
  return {
    state,
    retryAfterSeconds: isWaiting ? Math.min(...(waits.length > 0 ? waits : [NO_WORKERS_SECONDS])) : null,
    workers,
    pools,
  };
}

function sumCounts(counts: readonly FleetCounts[]): FleetCounts {
  const sum = (name: keyof FleetCounts): number => counts.reduce((total, count) => total + count[name], 0);
  return {
    workers: sum('workers'),
    busy: sum('busy'),
    free: sum('free'),
    unknown: sum('unknown'),
    known: sum('known'),
    held: sum('held'),
    overloadMarked: sum('overloadMarked'),
    instances: sum('instances'),
    down: sum('down'),
  };
}
