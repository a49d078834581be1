import { setImmediate } from 'node:timers/promises';
import { Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { compareWorkerIds, workerIdFromBigInt, type WorkerId } from '../../../src/core/worker-id.js';
import type { Pool } from '../../../src/fleet/pools/pools.js';
import { listWorkers } from '../../../src/service/queries/list-workers.js';
import { wholePool } from '../../../src/service/queries/models.js';

interface NotifiedPool extends Pool {
  readonly notify: (workerId: WorkerId) => void;
}

const running: Pool[] = [];
afterEach(() => {
  for (const { monitor } of running.splice(0)) monitor.stop();
});

function poolOf(model: string, ids: readonly WorkerId[]): NotifiedPool {
  const loads = new Subject<ActiveLoad>();
  const monitor = loadMonitor({ loads }, { policy: policies['dynamo-1.0'] });
  const notify = (workerId: WorkerId): void =>
    loads.next({
      workerId,
      dpRank: 0,
      activeDecodeBlocks: 1,
      activePrefillTokens: null,
      kvUsedBlocks: null,
    });
  const name = { model, endpoint: { namespace: 'a', component: 'b', endpoint: 'c' } };
  const pool = { name, monitor, setThresholds: () => undefined, notify };
  running.push(pool);
  monitor.connect();
  ids.forEach(notify);
  return pool;
}

/** Unsorted ids of all lengths, many of which are equal when rounded to 53 bits. */
function manyIds(count: number): WorkerId[] {
  const ids = Array.from({ length: count }, (_, i) => {
    const scattered = (BigInt(i) * 0x9e37_79b9_7f4a_7c15n) % 2n ** 64n;
    return i % 2 === 0 ? 2n ** 63n + BigInt((i * 7) % count) : scattered >> BigInt(i % 60);
  });
  return [...new Set(ids.map((id) => workerIdFromBigInt(id)))];
}

async function pagesOf(pools: readonly Pool[], limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  let after: WorkerId | null = null;
  for (let more = true; more;) {
    const page = await listWorkers(pools.map(wholePool), { limit, busy: undefined, after });
    pages.push(page.workers.map(({ worker }) => worker.workerId));
    after = page.workers.at(-1)?.worker.workerId ?? null;
    more = page.hasMore;
  }
  return pages;
}

describe('listWorkers', () => {
  it.each([1, 7, 100, 1999, 2000, 2001, 10_000])(
    'pages of %i are in ascending order of ids',
    async (limit) => {
      const ids = manyIds(limit < 7 ? 20 : 2000);
      const sorted = ids.toSorted(compareWorkerIds);
      const pages = await pagesOf([poolOf('m', ids)], limit);
      expect(pages.flat()).toEqual(sorted);
      expect(pages.map(({ length }) => length)).toEqual(
        Array.from({ length: Math.ceil(sorted.length / limit) }, (_, page) =>
          Math.min(limit, sorted.length - page * limit),
        ),
      );
    },
  );

  it('lists a worker of several pools in each of them', async () => {
    const ids = manyIds(100);
    const pages = await pagesOf([poolOf('m', ids), poolOf('n', ids.slice(0, 50))], 10);
    const both = [...ids, ...ids.slice(0, 50)].sort(compareWorkerIds);
    expect(pages.flat()).toEqual(both);
    for (const page of pages.slice(0, -1)) expect([10, 11]).toContain(page.length);
    expect(pages.map((page) => page.length)).toContain(11);
  });

  it('shows the moment of the call, and yields to other work', async () => {
    const ids = manyIds(2000);
    const pool = poolOf('m', ids);
    const asked = listWorkers([pool].map(wholePool), { limit: 5000, busy: undefined, after: null });
    const others = (async () => {
      await setImmediate();
      pool.notify(workerIdFromBigInt(0xffff_ffff_ffff_ffffn));
      return 'other work';
    })();
    expect(await Promise.race([asked.then(() => 'page'), others])).toBe('other work');
    expect((await asked).workers).toHaveLength(ids.length);
  });

  it('is empty while the monitor is not connected', async () => {
    const pool = poolOf('m', []);
    pool.monitor.stop();
    expect(await listWorkers([pool].map(wholePool), { limit: 1, busy: undefined, after: null })).toEqual({
      workers: [],
      hasMore: false,
    });
  });
});
