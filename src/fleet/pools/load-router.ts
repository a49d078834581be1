import type { Observer } from 'rxjs';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import {
  LoadBatch,
  type LoadColumns,
  type WorkerTable,
  batchEvents,
  columnsOf,
} from '../../core/events/load-batch.js';
import { MAX_RANKS_PER_WORKER } from '../../core/judgement/rank-state.js';
import type { UnknownWorkers } from '../../core/policy/load-policy.js';
import type { Problem, ProblemCode } from '../../core/sources/problem.js';
import type { WorkerId } from '../../core/worker-id.js';

const COLUMNS = 3;

/**
 * Splits a batch by the owners of its rows. The cost is proportional to the number of rows. If one owner gets all rows, it
 * gets the batch itself, so a single pool costs no copy.
 */
function splitBatch<Owner>(
  batch: LoadBatch,
  ownersOf: (workerIndex: number) => readonly Owner[],
): Map<Owner, LoadBatch> {
  const columns = columnsOf(batch);
  const { count, worker } = columns;
  const rows = new Map<Owner, number[]>();
  for (let row = 0; row < count; row += 1) {
    for (const owner of ownersOf(worker[row] ?? 0)) {
      const own = rows.get(owner);
      if (own === undefined) rows.set(owner, [row]);
      else own.push(row);
    }
  }
  return new Map(
    [...rows].map(([owner, own]) => [owner, own.length === count ? batch : rowsOf(columns, own)]),
  );
}

function rowsOf(columns: LoadColumns, rows: readonly number[]): LoadBatch {
  const { worker, dpRank, activeDecodeBlocks, activePrefillTokens, kvUsedBlocks } = columns;
  const wide = new Map<number, bigint>();
  if (columns.wide.size > 0) {
    rows.forEach((row, index) => {
      for (let column = 0; column < COLUMNS; column += 1) {
        const value = columns.wide.get(row * COLUMNS + column);
        if (value !== undefined) wide.set(index * COLUMNS + column, value);
      }
    });
  }
  return new LoadBatch({
    ...columns,
    count: rows.length,
    worker: Int32Array.from(rows, (row) => worker[row] ?? 0),
    dpRank: Uint32Array.from(rows, (row) => dpRank[row] ?? 0),
    activeDecodeBlocks: Float64Array.from(rows, (row) => activeDecodeBlocks[row] ?? 0),
    activePrefillTokens: Float64Array.from(rows, (row) => activePrefillTokens[row] ?? 0),
    kvUsedBlocks: Float64Array.from(rows, (row) => kvUsedBlocks[row] ?? 0),
    wide,
  });
}

const reasons: Partial<Record<ProblemCode, string>> = {
  'unknown-worker': 'because discovery does not know them',
  'undeclared-rank': 'because no config can declare so many ranks',
  'held-worker-dropped': 'because too many of them were waiting for discovery',
};

/** The receiver of the loads of a pool. */
export interface LoadSink extends Pick<Observer<ActiveLoad | LoadBatch>, 'next'> {
  /** The values that the pool has of a worker, as one load of each rank. */
  lastLoads?(workerId: WorkerId): Iterable<ActiveLoad>;
}

/**
 * Routes each load to the pools of its worker.
 *
 * 1. A worker in no pool is an unknown worker for the policy. If the policy holds loads of unknown workers, the latest load
 *    of each rank is held until the worker joins a pool; otherwise its loads are dropped.
 * 2. If the policy holds loads, a worker that joins a further pool brings the values that its first pool has, because workers
 *    publish only changes.
 * 3. The policy limits the number of held workers; beyond that, the oldest is dropped. At most 4096 ranks are held for each.
 * 4. Dropped loads are counted. `takeProblems` returns one problem for each reason, with the number of loads.
 */
export class LoadRouter {
  private readonly dropped = new Map<ProblemCode, { count: number; last: WorkerId }>();
  private readonly sinks = new Map<WorkerId, readonly LoadSink[]>();
  private readonly held = new Map<WorkerId, Map<number, ActiveLoad>>();
  private readonly maxHeld: number;
  private readonly unroutedSinks: readonly LoadSink[];
  // A cache of `sinks` by the index of a worker in the table of a batch.
  private table: WorkerTable | undefined;
  private tableVersion = -1;
  private byIndex: (readonly LoadSink[] | undefined)[] = [];

  constructor(unknown: UnknownWorkers) {
    this.maxHeld = unknown.loads === 'held' ? unknown.maximumWorkers : 0;
    this.unroutedSinks = [{ next: (load) => this.hold(load) }];
  }

  /** Adds a sink for the loads of a worker. Held loads, or the values of its first pool, go to it immediately. */
  join(workerId: WorkerId, sink: LoadSink): void {
    const others = this.sinks.get(workerId) ?? [];
    this.put(workerId, [...others, sink]);
    const held = this.held.get(workerId)?.values();
    this.held.delete(workerId);
    const known = this.maxHeld > 0 ? others[0]?.lastLoads?.(workerId) : undefined;
    for (const load of held ?? known ?? []) sink.next(load);
  }

  /** Removes a sink of a worker. */
  leave(workerId: WorkerId, sink: LoadSink): void {
    this.put(
      workerId,
      (this.sinks.get(workerId) ?? []).filter((other) => other !== sink),
    );
  }

  route(load: ActiveLoad | LoadBatch): void {
    if ('workerId' in load) {
      for (const sink of this.sinks.get(load.workerId) ?? this.unroutedSinks) sink.next(load);
      return;
    }
    const { table } = columnsOf(load);
    if (table !== this.table || table.version !== this.tableVersion) this.byIndex = [];
    this.table = table;
    this.tableVersion = table.version;
    const parts = splitBatch(
      load,
      (index) => (this.byIndex[index] ??= this.sinks.get(table.id(index)) ?? this.unroutedSinks),
    );
    for (const [sink, part] of parts) {
      sink.next(part);
      // As late as the batch that it is a part of, whose producer may clear the table of both.
      if (part !== load) part.expire();
    }
  }

  /** Returns the problems for loads that were dropped since the last call. */
  takeProblems(): Problem[] {
    const problems = [...this.dropped].map(([code, { count, last }]): Problem => ({
      code,
      source: 'loads',
      text: `${count} loads of workers in no pool were dropped, ${reasons[code] ?? code}; the last was of worker ${last}`,
      count,
    }));
    this.dropped.clear();
    return problems;
  }

  private drop(code: ProblemCode, workerId: WorkerId, loads = 1): void {
    const count = (this.dropped.get(code)?.count ?? 0) + loads;
    this.dropped.set(code, { count, last: workerId });
  }

  private put(workerId: WorkerId, sinks: readonly LoadSink[]): void {
    if (sinks.length === 0) this.sinks.delete(workerId);
    else this.sinks.set(workerId, sinks);
    this.byIndex = [];
  }

  private hold(load: ActiveLoad | LoadBatch): void {
    for (const single of 'workerId' in load ? [load] : batchEvents(load)) {
      if (this.maxHeld === 0) this.drop('unknown-worker', single.workerId);
      else this.holdOne(single);
    }
  }

  private holdOne(load: ActiveLoad): void {
    const { workerId, dpRank } = load;
    const ranks = this.held.get(workerId) ?? new Map<number, ActiveLoad>();
    if (ranks.size >= MAX_RANKS_PER_WORKER && !ranks.has(dpRank)) {
      this.drop('undeclared-rank', workerId);
      return;
    }
    this.held.set(workerId, ranks.set(dpRank, load));
    if (this.held.size <= this.maxHeld) return;
    const [oldest] = this.held;
    if (oldest === undefined) return;
    this.held.delete(oldest[0]);
    this.drop('held-worker-dropped', oldest[0], oldest[1].size);
  }
}
