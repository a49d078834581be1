import { Turn } from '../../adapters/clock/turn.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { FleetRanks } from '../../core/state/fleet-ranks.js';
import { type WorkerId, compareWorkerIds } from '../../core/worker-id.js';
import type { Pool } from '../pools/pools.js';

/** The workers that are there now, in no order. */
export function listWorkerIds(monitor: LoadMonitor): WorkerId[] {
  const ranks = monitor.ranks();
  const ids: WorkerId[] = [];
  for (let worker = 0; worker < (ranks?.end ?? 0); worker += 1) {
    if (ranks?.isPresent(worker) === true) ids.push(ranks.workerId(worker));
  }
  return ids;
}

/** A worker in short: what can be read of all of them at once. */
export interface WorkerSummary {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  /** Whether the request path marked it. */
  readonly marked: boolean;
  /** Since when it is busy, in milliseconds of the clock that drives the monitor; `null` when it is free. */
  readonly since: number | null;
  readonly reportedRanks: number;
}

/** The worker at a number that has one. */
export function summarizeWorker(ranks: FleetRanks, worker: number): WorkerSummary {
  const busy = ranks.isBusy(worker);
  return {
    workerId: ranks.workerId(worker),
    busy,
    marked: ranks.isOverloadMarked(worker),
    since: busy ? ranks.busySince(worker) : null,
    reportedRanks: ranks.rankCount(worker),
  };
}

/** Which workers are asked for. */
export interface WorkerQuery {
  /** How many; all those with the id of the last come with it. */
  readonly limit: number;
  /** Only those that are, or are not. */
  readonly busy: boolean | undefined;
  /** Only ids above this one. */
  readonly after: WorkerId | null;
}

/** A page of workers, ascending by id. */
export interface WorkerPage {
  readonly workers: readonly { readonly pool: Pool; readonly one: WorkerSummary }[];
  /** Whether others have ids above the last. */
  readonly hasMore: boolean;
}

/**
 * The workers of some pools with the lowest ids, all as they are when this is called. It is made in turns, so that a
 * large fleet does not hold the event loop up.
 *
 * Only the page is sorted by ids. Which workers are on it, their ids tell as numbers: rounding may make neighbours equal
 * but swaps none, so those up to the wanted place are the page, and at most a few more.
 */
export async function listWorkers(
  pools: readonly Pool[],
  { limit, busy, after }: WorkerQuery,
): Promise<WorkerPage> {
  const turn = new Turn();
  const copies = pools.map((pool) => ({ pool, ranks: pool.monitor.ranks() }));
  const found = [];
  for (const { pool, ranks } of copies) {
    for (let worker = 0; worker < (ranks?.end ?? 0); worker += 1) {
      if (turn.isOver) await turn.next();
      if (ranks?.isPresent(worker) !== true) continue;
      if (busy !== undefined && ranks.isBusy(worker) !== busy) continue;
      const id = ranks.workerId(worker);
      if (after !== null && compareWorkerIds(id, after) <= 0) continue;
      found.push({ pool, ranks, worker, id, number: Number(id) });
    }
  }
  const numbers = new Float64Array(found.length);
  found.forEach(({ number }, index) => (numbers[index] = number));
  const highest = numbers.sort()[limit - 1] ?? Infinity;
  await turn.next();
  const lowest = found.filter(({ number }) => number <= highest).sort((a, b) => compareWorkerIds(a.id, b.id));
  const last = lowest[limit - 1]?.id;
  const page = last === undefined ? lowest : lowest.filter(({ id }) => compareWorkerIds(id, last) <= 0);
  await turn.next();
  return {
    workers: page.map(({ pool, ranks, worker }) => ({ pool, one: summarizeWorker(ranks, worker) })),
    hasMore: page.length < found.length,
  };
}
