import { Turn } from '../../adapters/clock/turn.js';
import type { WorkerState } from '../../core/judgement/worker-state.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { FleetRanks } from '../../core/state/fleet-ranks.js';
import { type WorkerId, compareWorkerIds } from '../../core/worker-id.js';
import type { PoolPart } from './models.js';

/** The ids of the present workers, in no particular order. */
export function listWorkerIds(monitor: LoadMonitor): WorkerId[] {
  const ranks = monitor.ranks();
  const ids: WorkerId[] = [];
  for (let index = 0; index < (ranks?.end ?? 0); index += 1) {
    if (ranks?.isPresent(index) === true) ids.push(ranks.workerId(index));
  }
  return ids;
}

/** The state of a worker in a list of workers. */
export interface WorkerSummary {
  readonly workerId: WorkerId;
  readonly state: WorkerState;
  readonly busy: boolean;
  /** Whether the request path set an overload mark on it. */
  readonly overloadMarked: boolean;
  /** Since when it is busy, in milliseconds of the monitor's clock; `null` when it is free. */
  readonly since: number | null;
  readonly reportedRanks: number;
}

/** The summary of the worker at an index where a worker is present. */
function summarizeWorker(ranks: FleetRanks, index: number): WorkerSummary {
  const busy = ranks.isBusy(index);
  return {
    workerId: ranks.workerId(index),
    state: ranks.workerState(index),
    busy,
    overloadMarked: ranks.isOverloadMarked(index),
    since: busy ? ranks.busySince(index) : null,
    reportedRanks: ranks.rankCount(index),
  };
}

/** Which workers to list. */
export interface WorkerQuery {
  /** The size of a page. Entries with the same id as the last are included too, so a page may be larger. */
  readonly limit: number;
  /** Only busy or only free workers; `undefined` for both. */
  readonly busy: boolean | undefined;
  /** Only ids above this one. */
  readonly after: WorkerId | null;
}

/** A page of workers in ascending order of ids. */
export interface WorkerPage {
  readonly workers: readonly { readonly part: PoolPart; readonly worker: WorkerSummary }[];
  /** Whether there are workers with higher ids than the last. */
  readonly hasMore: boolean;
}

/**
 * Lists the workers of some pools with the lowest ids, as of the moment of the call. It works in turns, so that a large
 * fleet does not block the event loop.
 *
 * Only the page is sorted by exact ids. It is selected by ids as floating-point numbers, which is faster: rounding can make
 * neighbours equal but never swaps them, so the selection contains the page and at most a few more workers.
 */
export async function listWorkers(
  parts: readonly PoolPart[],
  { limit, busy, after }: WorkerQuery,
): Promise<WorkerPage> {
  const turn = new Turn();
  const copies = parts.map((part) => ({ part, ranks: part.pool.monitor.ranks() }));
  const found = [];
  for (const { part, ranks } of copies) {
    for (let index = 0; index < (ranks?.end ?? 0); index += 1) {
      if (turn.isOver) await turn.next();
      if (ranks?.isPresent(index) !== true) continue;
      if (busy !== undefined && ranks.isBusy(index) !== busy) continue;
      const id = ranks.workerId(index);
      if (part.carriers?.has(id) === false) continue;
      if (after !== null && compareWorkerIds(id, after) <= 0) continue;
      found.push({ part, ranks, index, id, number: Number(id) });
    }
  }
  const numbers = new Float64Array(found.length);
  found.forEach(({ number }, position) => (numbers[position] = number));
  const highest = numbers.sort()[limit - 1] ?? Infinity;
  await turn.next();
  const lowest = found.filter(({ number }) => number <= highest).sort((a, b) => compareWorkerIds(a.id, b.id));
  const last = lowest[limit - 1]?.id;
  const page = last === undefined ? lowest : lowest.filter(({ id }) => compareWorkerIds(id, last) <= 0);
  await turn.next();
  return {
    workers: page.map(({ part, ranks, index }) => ({ part, worker: summarizeWorker(ranks, index) })),
    hasMore: page.length < found.length,
  };
}
