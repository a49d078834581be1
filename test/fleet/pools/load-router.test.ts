import { describe, expect, it } from 'vitest';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { LoadBatch, WorkerTable, batchEvents } from '../../../src/core/events/load-batch.js';
import { workerId } from '../../../src/core/worker-id.js';
import { LoadRouter } from '../../../src/fleet/pools/load-router.js';
import { load } from '../../support/fleet.js';
import { type Row, loadColumns } from '../../support/load-columns.js';

const HELD = { loads: 'held', known: 'config', maximumWorkers: 2 } as const;
const DROPPED = { loads: 'dropped', known: 'instance' } as const;
const [one, two, three] = ['1', '2', '3'].map(workerId) as [never, never, never];
const BATCH_EXPIRED = /^the batch was read after the call in which it was emitted/;
const LARGE = 18446744073709551615n;

const batchOf = (table: WorkerTable, ...rows: readonly Row[]): LoadBatch =>
  new LoadBatch(loadColumns(table, ...rows));

/** A receiver of loads, with what it received: worker, rank, tokens. */
function sink() {
  const received: unknown[][] = [];
  const batches: LoadBatch[] = [];
  const times: unknown[] = [];
  return {
    received,
    batches,
    times,
    next(load: ActiveLoad | LoadBatch): void {
      if (!('workerId' in load)) {
        batches.push(load);
        times.push(load.receivedAt);
      }
      for (const each of 'workerId' in load ? [load] : batchEvents(load))
        received.push([each.workerId, each.dpRank, each.activePrefillTokens]);
    },
  };
}

describe('LoadRouter', () => {
  it('routes each row to its pool with all digits; a worker of two pools gets its loads in both', () => {
    const router = new LoadRouter(DROPPED);
    const [a, b] = [sink(), sink()];
    router.join(one, a);
    router.join(two, b);
    router.join(two, a);
    const table = new WorkerTable();
    router.route(batchOf(table, [1, 0, 10], [2, 0, LARGE], [3, 0, 30], [1, 7, LARGE]));
    expect(a.received).toEqual([
      ['1', 0, 10],
      ['2', 0, LARGE],
      ['1', 7, LARGE],
    ]);
    expect(b.received).toEqual([['2', 0, LARGE]]);
    expect(b.times).toEqual([5]);
    const [problem, ...more] = router.takeProblems();
    expect(problem).toMatchObject({ code: 'unknown-worker', source: 'loads', count: 1 });
    expect(problem?.text).toContain('worker 3');
    expect(more).toEqual([]);
    expect(router.takeProblems()).toEqual([]);
  });

  it('passes a batch on unchanged if one pool gets all rows', () => {
    const router = new LoadRouter(DROPPED);
    const a = sink();
    router.join(one, a);
    const batch = batchOf(new WorkerTable(), [1, 0, 10], [1, 1, 20]);
    router.route(batch);
    expect(a.batches[0]).toBe(batch);
  });

  it('a part of a batch expires after the call, as the batch itself does', () => {
    const router = new LoadRouter(DROPPED);
    const [a, b] = [sink(), sink()];
    router.join(one, a);
    router.join(two, b);
    router.route(batchOf(new WorkerTable(), [1, 0, 10], [2, 0, 20]));
    for (const { batches } of [a, b]) expect(() => batches[0]?.count).toThrow(BATCH_EXPIRED);
  });

  it('a batch that was delayed on its way to the router is refused', () => {
    const router = new LoadRouter(DROPPED);
    const batch = batchOf(new WorkerTable(), [1, 0, 10]);
    batch.expire();
    expect(() => router.route(batch)).toThrow(BATCH_EXPIRED);
  });

  it('follows a worker that leaves, joins again or gets another index', () => {
    const router = new LoadRouter(DROPPED);
    const [a, b] = [sink(), sink()];
    const table = new WorkerTable();
    router.join(one, a);
    router.route(batchOf(table, [1, 0, 1]));
    router.leave(one, a);
    router.join(one, b);
    router.route(batchOf(table, [1, 0, 2]));
    table.clear();
    router.join(two, a);
    router.route(batchOf(table, [2, 0, 3], [1, 0, 4]));
    router.route({
      workerId: one,
      dpRank: 0,
      activeDecodeBlocks: null,
      activePrefillTokens: 5,
      kvUsedBlocks: null,
    });
    expect(a.received).toEqual([
      ['1', 0, 1],
      ['2', 0, 3],
    ]);
    expect(b.received).toEqual([
      ['1', 0, 2],
      ['1', 0, 4],
      ['1', 0, 5],
    ]);
  });

  it('holds the latest load of each rank of unknown workers, up to the limit; the oldest worker is dropped', () => {
    const router = new LoadRouter(HELD);
    const table = new WorkerTable();
    router.route(batchOf(table, [1, 0, 1], [2, 0, 2], [2, 0, 3], [2, 1, LARGE]));
    router.route(batchOf(table, [3, 0, 4]));
    const a = sink();
    for (const id of [one, two, three]) router.join(id, a);
    expect(a.received).toEqual([
      ['2', 0, 3],
      ['2', 1, LARGE],
      ['3', 0, 4],
    ]);
    expect(router.takeProblems()).toMatchObject([{ code: 'held-worker-dropped', count: 1 }]);
    router.leave(two, a);
    router.join(two, a);
    expect(a.received).toHaveLength(3);
  });

  it('holds at most 4096 ranks of a worker', () => {
    const router = new LoadRouter(HELD);
    const table = new WorkerTable();
    router.route(batchOf(table, ...Array.from({ length: 5000 }, (_, rank): Row => [1, rank, 1])));
    const a = sink();
    router.join(one, a);
    expect(a.received).toHaveLength(4096);
    expect(router.takeProblems()).toMatchObject([{ code: 'undeclared-rank', count: 904 }]);
  });

  it('a worker that joins a further pool brings the values of its first pool, unless the policy drops loads', () => {
    const seen = (unknown: typeof HELD | typeof DROPPED): unknown[][] => {
      const router = new LoadRouter(unknown);
      const [a, b] = [sink(), sink()];
      const last = load({ workerId: one, dpRank: 3, activePrefillTokens: 9 });
      router.join(one, { ...a, lastLoads: (id) => (id === one ? [last] : []) });
      router.join(one, b);
      return b.received;
    };
    expect(seen(HELD)).toEqual([['1', 3, 9]]);
    expect(seen(DROPPED)).toEqual([]);
  });
});
