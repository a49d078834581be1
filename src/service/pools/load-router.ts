import type { Observer } from 'rxjs';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import { batchEvents, type LoadBatch, type WorkerTable } from '../../core/events/load-batch.js';
import type { UnknownWorkers } from '../../core/policy/load-policy.js';
import type { Problem, ProblemCode } from '../../core/sources/problem.js';
import type { WorkerId } from '../../core/worker-id.js';

const COLUMNS = 3;

/**
 * The rows of a batch by who is to have them. Costs the rows. A batch that is all one owner's is handed on as it is, so
 * that one pool pays for no copy.
 */
export function splitBatch<Owner>(
  batch: LoadBatch,
  ownersOf: (workerIndex: number) => readonly Owner[],
): Map<Owner, LoadBatch> {
  const rows = new Map<Owner, number[]>();
  for (let row = 0; row < batch.count; row += 1) {
    for (const owner of ownersOf(batch.worker[row] ?? 0)) {
      const own = rows.get(owner);
      if (own === undefined) rows.set(owner, [row]);
      else own.push(row);
    }
  }
  return new Map(
    [...rows].map(([owner, own]) => [owner, own.length === batch.count ? batch : rowsOf(batch, own)]),
  );
}

function rowsOf(batch: LoadBatch, rows: readonly number[]): LoadBatch {
  const { worker, dpRank, activeDecodeBlocks, activePrefillTokens, kvUsedBlocks } = batch;
  const wide = new Map<number, bigint>();
  if (batch.wide.size > 0) {
    rows.forEach((row, index) => {
      for (let column = 0; column < COLUMNS; column += 1) {
        const value = batch.wide.get(row * COLUMNS + column);
        if (value !== undefined) wide.set(index * COLUMNS + column, value);
      }
    });
  }
  return {
    ...batch,
    count: rows.length,
    worker: Int32Array.from(rows, (row) => worker[row] ?? 0),
    dpRank: Uint32Array.from(rows, (row) => dpRank[row] ?? 0),
    activeDecodeBlocks: Float64Array.from(rows, (row) => activeDecodeBlocks[row] ?? 0),
    activePrefillTokens: Float64Array.from(rows, (row) => activePrefillTokens[row] ?? 0),
    kvUsedBlocks: Float64Array.from(rows, (row) => kvUsedBlocks[row] ?? 0),
    wide,
  };
}

const reasons: Partial<Record<ProblemCode, string>> = {
  'unknown-worker': 'for discovery does not know them',
  'undeclared-rank': 'for no card declares so many ranks',
  'held-worker-dropped': 'for more of them wait for discovery than may',
};

/** As many as a card may declare. */
const MAX_RANKS = 4096;

/** Who takes the loads of a pool. */
export type LoadSink = Pick<Observer<ActiveLoad | LoadBatch>, 'next'>;

/**
 * Hands each load to the pools of its worker.
 *
 * 1. A worker that is in no pool yet is one that the policy does not know. Where the policy holds loads of such
 *    workers, the last one of each rank waits here until the worker joins a pool; elsewhere they are dropped.
 * 2. At most as many workers wait as the policy says; the oldest is dropped. At most 4096 ranks wait of each.
 * 3. What went nowhere is counted, and told by `takeProblems`: one problem of each kind, however many loads they were.
 */
export class LoadRouter {
  private readonly dropped = new Map<ProblemCode, { count: number; last: WorkerId }>();
  private readonly sinks = new Map<WorkerId, readonly LoadSink[]>();
  private readonly held = new Map<WorkerId, Map<number, ActiveLoad>>();
  private readonly maxHeld: number;
  private readonly unroutedSinks: readonly LoadSink[];
  // What the map says, by the index of a worker in the table of a batch.
  private table: WorkerTable | undefined;
  private tableVersion = -1;
  private byIndex: (readonly LoadSink[] | undefined)[] = [];

  constructor(unknown: UnknownWorkers) {
    this.maxHeld = unknown.loads === 'held' ? unknown.maximumWorkers : 0;
    this.unroutedSinks = [{ next: (load) => this.hold(load) }];
  }

  /** From now on the loads of a worker go to a sink too, those that waited at once. */
  join(workerId: WorkerId, sink: LoadSink): void {
    this.put(workerId, [...(this.sinks.get(workerId) ?? []), sink]);
    const waiting = this.held.get(workerId);
    this.held.delete(workerId);
    for (const load of waiting?.values() ?? []) sink.next(load);
  }

  leave(workerId: WorkerId, sink: LoadSink): void {
    this.put(
      workerId,
      (this.sinks.get(workerId) ?? []).filter((one) => one !== sink),
    );
  }

  route(load: ActiveLoad | LoadBatch): void {
    if ('workerId' in load) {
      for (const sink of this.sinks.get(load.workerId) ?? this.unroutedSinks) sink.next(load);
      return;
    }
    const { table } = load;
    if (table !== this.table || table.version !== this.tableVersion) this.byIndex = [];
    this.table = table;
    this.tableVersion = table.version;
    const parts = splitBatch(
      load,
      (index) => (this.byIndex[index] ??= this.sinks.get(table.id(index)) ?? this.unroutedSinks),
    );
    for (const [sink, part] of parts) sink.next(part);
  }

  /** What was dropped since the last call. */
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
    for (const one of 'workerId' in load ? [load] : batchEvents(load)) {
      if (this.maxHeld === 0) this.drop('unknown-worker', one.workerId);
      else this.holdOne(one);
    }
  }

  private holdOne(load: ActiveLoad): void {
    const { workerId, dpRank } = load;
    const ranks = this.held.get(workerId) ?? new Map<number, ActiveLoad>();
    if (ranks.size >= MAX_RANKS && !ranks.has(dpRank)) {
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
