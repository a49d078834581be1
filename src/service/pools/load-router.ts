import type { Observer } from 'rxjs';
import type { ActiveLoad } from '../../core/active-load.js';
import type { LoadBatch } from '../../core/load-batch.js';
import { batchEvents } from '../../core/load-monitor/batch-events.js';
import type { UnknownWorkers } from '../../core/load-policy.js';
import type { Problem, ProblemCode } from '../../core/problem.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { WorkerTable } from '../../core/worker-table.js';
import { splitBatch } from './split-batch.js';

const reasons: Partial<Record<ProblemCode, string>> = {
  'unknown-worker': 'for discovery does not know them',
  'undeclared-rank': 'for no card declares so many ranks',
  'held-worker-dropped': 'for more of them wait for discovery than may',
};

/** As many as a card may declare. */
const MOST_RANKS = 4096;

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
  private readonly maximumHeld: number;
  private readonly nobody: readonly LoadSink[];
  // What the map says, by the index of a worker in the table of a batch.
  private table: WorkerTable | undefined;
  private generation = -1;
  private byIndex: (readonly LoadSink[] | undefined)[] = [];

  constructor(unknown: UnknownWorkers) {
    this.maximumHeld = unknown.loads === 'held' ? unknown.maximumWorkers : 0;
    this.nobody = [{ next: (load) => this.hold(load) }];
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
      for (const sink of this.sinks.get(load.workerId) ?? this.nobody) sink.next(load);
      return;
    }
    const { table } = load;
    if (table !== this.table || table.generation !== this.generation) this.byIndex = [];
    this.table = table;
    this.generation = table.generation;
    const parts = splitBatch(
      load,
      (index) => (this.byIndex[index] ??= this.sinks.get(table.id(index)) ?? this.nobody),
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
      if (this.maximumHeld === 0) this.drop('unknown-worker', one.workerId);
      else this.holdOne(one);
    }
  }

  private holdOne(load: ActiveLoad): void {
    const { workerId, dpRank } = load;
    const ranks = this.held.get(workerId) ?? new Map<number, ActiveLoad>();
    if (ranks.size >= MOST_RANKS && !ranks.has(dpRank)) {
      this.drop('undeclared-rank', workerId);
      return;
    }
    this.held.set(workerId, ranks.set(dpRank, load));
    if (this.held.size <= this.maximumHeld) return;
    const [oldest] = this.held;
    if (oldest === undefined) return;
    this.held.delete(oldest[0]);
    this.drop('held-worker-dropped', oldest[0], oldest[1].size);
  }
}
