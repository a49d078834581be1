import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { NEVER, of, Subject, type Observable } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { renderMetrics } from '../../../src/adapters/prometheus/render-metrics.js';
import { WorkerLatencies } from '../../../src/adapters/prometheus/worker-latencies.js';
import type { LoadBatch } from '../../../src/core/events/load-batch.js';
import { policies } from '../../../src/core/policy/policies.js';
import { problemCodes } from '../../../src/core/sources/problem.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import type { WorkerId } from '../../../src/core/worker-id.js';
import { fleetEvents as fleet } from '../../../src/testing/fakes/fleet-events.js';
import { LoadAccounting } from '../../../src/dynamo/loads/load-accounting.js';
import { LoadBatchDecoder } from '../../../src/wire/loads/load-batch-decoder.js';
import { encodeActiveLoadJson } from '../../../src/wire/loads/load-encoder.js';
import { id, load } from '../../support/fleet.js';
import { headerOf } from '../../support/load-headers.js';
import { pageOf, samplesNamed, samplesOf } from './page.js';
import { TestPool } from './pool.js';

afterEach(() => void vi.restoreAllMocks());

const thresholds = { activeDecodeBlocksThreshold: 0.85, activePrefillTokensThreshold: 100 };

/** A pool with something of everything. */
function eventfulPool(): TestPool {
  const status$ = new Subject<SourceStatus>();
  const latencies = new WorkerLatencies();
  const accounting = new LoadAccounting();
  accounting.setTime(0, 0);
  for (const sequence of [0, 1, 4]) accounting.countLoad(headerOf({ publisher: 9, sequence }), 80);
  const pool = new TestPool(
    {
      labels: { pool: 'llama', zone: 'a' },
      latencies,
      accounting$: of({ account: accounting.snapshot() }),
      legacy: {
        component: 'backend',
        endpoint: 'generate',
        stats: () => [
          { workerId: id(7), requestActiveSlots: 3, requestTotalSlots: 8, gpuPrefixCacheHitRate: 0.25 },
          { workerId: id(99), requestActiveSlots: 1 },
        ],
        hitRate: () => ({ islBlocks: 40, overlapBlocks: 12 }),
      },
    },
    { thresholds },
    { status: [status$] },
  );
  pool.metrics.counting$.subscribe();
  pool.monitor.connect();
  const card = { totalKvBlocks: 100, dataParallelSize: 2 };
  pool.apply(
    { kind: 'decodeInstances', workerIds: [id(7), id(8), id('18446744073709551615')] },
    {
      kind: 'configs',
      workers: new Map([id(7), id(8), id('18446744073709551615')].map((one) => [one, card])),
    },
  );
  pool.advance(1500);
  status$.next({ source: 'loads (NATS)', state: 'live', since: 0 });
  pool.advance(500);
  pool.apply(
    load({ activeDecodeBlocks: 90, activePrefillTokens: 20, kvUsedBlocks: 91 }),
    load({ dpRank: 1, activeDecodeBlocks: 10, activePrefillTokens: 2n ** 64n - 1n }),
    load({ workerId: id(8), kvUsedBlocks: 0 }),
    load({ workerId: id(8), dpRank: 5 }),
  );
  pool.advance(3216);
  latencies.firstToken({ workerId: id(7), dpRank: 0, workerType: 'decode' }, 0.108308915, 28);
  latencies.laterToken({ workerId: id(7), workerType: 'decode' }, 0.02707075);
  latencies.laterToken({ workerId: id(99), dpRank: 0, workerType: 'decode' }, 1);
  return pool;
}

describe('a page', () => {
  it('renders the whole state as text', async () => {
    const pool = eventfulPool();
    await expect(await pageOf([pool.metrics])).toMatchFileSnapshot('snapshots/page.txt');
  });

  it('renders the same as OpenMetrics, with counters that end in _total and an EOF line', async () => {
    const pool = eventfulPool();
    const page = await pageOf([pool.metrics], 'openmetrics');
    await expect(page).toMatchFileSnapshot('snapshots/page.openmetrics.txt');
    expect(page.endsWith('\n# EOF\n')).toBe(true);
    const types = [...page.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name = '']) => name);
    expect(types).toContain('llm_kv_hit_rate_isl_blocks');
    for (const name of types) {
      expect(name).not.toMatch(/_total$/);
      expect(samplesNamed(page, `${name}_total`)).not.toEqual([]);
    }
  });

  it('writes the lines of Dynamo to the letter', async () => {
    const captured = readFileSync(
      new URL('../../fixtures/captures/1.6.1/kv_router/frontend_metrics.txt', import.meta.url),
      'utf8',
    );
    const wanted = captured.split('\n').filter((line) => /dynamo_frontend_worker_/.test(line));
    const latencies = new WorkerLatencies();
    const pool = new TestPool({ latencies });
    pool.monitor.connect();
    const worker = { workerId: id('3016182487575950085'), dpRank: 0 };
    pool.apply(load({ ...worker, activeDecodeBlocks: 0, activePrefillTokens: 0 }));
    latencies.firstToken({ ...worker, workerType: 'decode' }, 0.108308915, 28);
    latencies.laterToken({ ...worker, workerType: 'decode' }, 0.02707075);
    const page = await pageOf([pool.metrics]);
    expect(wanted).toHaveLength(15);
    expect(
      page
        .split('\n')
        .filter((line) => /dynamo_frontend_worker_/.test(line))
        .sort(),
    ).toEqual(wanted.sort());
  });

  it('without a run, has only tidemark_monitor_connected, and nothing of the previous run', async () => {
    const pool = eventfulPool();
    pool.monitor.stop();
    const page = await pageOf([pool.metrics]);
    expect(samplesNamed(page, 'tidemark_monitor_connected')).toEqual([
      ['tidemark_monitor_connected{pool="llama",zone="a"}', '0'],
    ]);
    expect(page).not.toMatch(/worker_id/);
    expect(page).not.toMatch(/tidemark_pool|tidemark_source|tidemark_threshold/);
  });

  it('has no counters before counting$ is subscribed to, and counts over several runs', async () => {
    const pool = new TestPool();
    pool.monitor.connect();
    expect(await pageOf([pool.metrics])).not.toContain('_total');
    const counting = pool.metrics.counting$.subscribe();
    pool.metrics.counting$.subscribe();
    const foreign = load({ topic: 'x' });
    pool.apply(foreign);
    pool.monitor.stop();
    pool.monitor.connect();
    pool.apply(foreign, foreign);
    counting.unsubscribe();
    pool.apply(foreign);
    const problems = samplesNamed(await pageOf([pool.metrics]), 'tidemark_problems_total');
    expect(problems.filter(([, count]) => count !== '0')).toEqual([
      ['tidemark_problems_total{code="foreign-topic"}', '4'],
    ]);
  });
});

describe('transitions', () => {
  it('count by the decisive check or another cause', async () => {
    const pool = new TestPool({}, { thresholds });
    pool.metrics.counting$.subscribe();
    pool.monitor.connect();
    pool.apply(
      { kind: 'decodeInstances', workerIds: [id(7)] },
      { kind: 'configs', workers: new Map([[id(7), { totalKvBlocks: 100 }]]) },
      load({ kvUsedBlocks: 90 }),
      load({ kvUsedBlocks: 10 }),
      load({ activePrefillTokens: 101 }),
      load({ activePrefillTokens: 1 }),
      { kind: 'marked', workerId: id(7) },
      { kind: 'markExpired', workerId: id(7) },
      load({ kvUsedBlocks: 90 }),
      { kind: 'decodeInstances', workerIds: [] },
    );
    const counts = samplesNamed(await pageOf([pool.metrics]), 'tidemark_transitions_total');
    expect(counts).toHaveLength(18);
    expect(Object.fromEntries(counts.filter(([, count]) => count !== '0'))).toEqual({
      'tidemark_transitions_total{check="kvUsedBlocks",direction="busy"}': '2',
      'tidemark_transitions_total{check="activePrefillTokens",direction="busy"}': '1',
      'tidemark_transitions_total{check="overload-mark",direction="busy"}': '1',
      // For a free rank, the check with the smallest margin is decisive.
      'tidemark_transitions_total{check="kvUsedBlocks",direction="free"}': '2',
      'tidemark_transitions_total{check="overload-mark-ended",direction="free"}': '1',
      'tidemark_transitions_total{check="left",direction="unknown"}': '1',
    });
  });
});

describe('series of workers that left', () => {
  const idsOn = (page: string): string[] =>
    [...new Set([...page.matchAll(/worker_id="(\d+)"/g)].map(([, one = '']) => one))].sort();

  it('have no series of a thousand departed workers, even with late loads and late latencies', async () => {
    const latencies = new WorkerLatencies();
    const pool = new TestPool({ latencies, legacy: { component: 'c', endpoint: 'e' } }, { thresholds });
    pool.metrics.counting$.subscribe();
    pool.monitor.connect();
    pool.apply({ kind: 'decodeInstances', workerIds: [] }, { kind: 'configs', workers: new Map() });
    const workers = Array.from({ length: 1000 }, (_, index) => id(1000 + index));
    const speak = (workerId: WorkerId): void => {
      pool.apply(load({ workerId, activeDecodeBlocks: 90, activePrefillTokens: 1, kvUsedBlocks: 90 }));
      latencies.firstToken({ workerId, dpRank: 0, workerType: 'decode' }, 0.1, 1);
      latencies.laterToken({ workerId, workerType: 'decode' }, 0.1);
    };
    for (const [index, workerId] of workers.entries()) {
      pool.apply(
        { kind: 'instance', workerId, present: true },
        { kind: 'config', workerId, config: { totalKvBlocks: 100 } },
      );
      speak(workerId);
      if (index < 10) continue;
      const leaver = workers[index - 10] as WorkerId;
      pool.apply({ kind: 'instance', workerId: leaver, present: false });
      // What was on its way when it left.
      speak(leaver);
      if (index % 100 === 0) expect(idsOn(await pageOf([pool.metrics]))).toHaveLength(10);
    }
    expect(latencies.size).toBeGreaterThan(10);
    pool.apply({ kind: 'decodeInstances', workerIds: [] });
    for (let time = 0; time < 2; time += 1) expect(idsOn(await pageOf([pool.metrics]))).toEqual([]);
    expect(latencies.size).toBe(0);
  });

  it.each(['dynamo-0.8', 'dynamo-1.0', 'dynamo-1.1'] as const)(
    'has no series under %s, which remembers their loads',
    async (name) => {
      const pool = new TestPool({}, { policy: policies[name] });
      pool.monitor.connect();
      pool.apply({ kind: 'decodeInstances', workerIds: [id(7), id(8)] });
      for (const workerId of [id(7), id(8)]) pool.apply(load({ workerId, activeDecodeBlocks: 1 }));
      expect(idsOn(await pageOf([pool.metrics]))).toEqual(['7', '8']);
      pool.apply({ kind: 'decodeInstances', workerIds: [id(8)] });
      expect(pool.monitor.explain(id(7))).toBeDefined();
      expect(idsOn(await pageOf([pool.metrics]))).toEqual(['8']);
    },
  );

  it('has no series of a worker whose loads are held', async () => {
    const pool = new TestPool({}, {}, { decodeInstances: NEVER });
    pool.monitor.connect();
    pool.apply(load({ activeDecodeBlocks: 1 }));
    expect(pool.monitor.snapshot()?.fleet.held).toBe(1);
    expect(idsOn(await pageOf([pool.metrics]))).toEqual([]);
  });

  it('a worker that leaves during rendering is complete on the page, and no worker is partial or duplicate', async () => {
    const pool = new TestPool();
    pool.monitor.connect();
    const ids = Array.from({ length: 600 }, (_, index) => id(index + 1));
    pool.apply({ kind: 'decodeInstances', workerIds: ids });
    for (const workerId of ids)
      for (let dpRank = 0; dpRank < 4; dpRank += 1)
        pool.apply(
          load({ workerId, dpRank, activeDecodeBlocks: 1, activePrefillTokens: 2, kvUsedBlocks: 3 }),
        );
    const before = samplesOf(await pageOf([pool.metrics]));
    let chunks = 0;
    let text = '';
    for await (const chunk of renderMetrics([pool.metrics])) {
      text += Buffer.from(chunk).toString();
      chunks += 1;
      // Half of them leave, others replace them, and the rest report again.
      pool.apply({ kind: 'decodeInstances', workerIds: [...ids.slice(300 + chunks), id(5000 + chunks)] });
      pool.apply(load({ workerId: id(5000 + chunks), dpRank: 70, activeDecodeBlocks: 9 }));
      for (const workerId of ids) pool.apply(load({ workerId, activeDecodeBlocks: 77 }));
    }
    expect(chunks).toBeGreaterThan(5);
    expect(samplesOf(text)).toEqual(before);
  });
});

describe('several pools', () => {
  it('differ in their labels, and a worker of both has Dynamo’s series once', async () => {
    const [decode, other] = [
      new TestPool({ labels: { pool: 'a' } }),
      new TestPool({ labels: { pool: 'b' } }),
    ];
    const prefill = new TestPool({ labels: { pool: 'c' } }, { role: 'prefill' });
    for (const pool of [decode, other, prefill]) {
      pool.monitor.connect();
      pool.apply(load({ activeDecodeBlocks: 1 }));
    }
    other.apply(load({ activeDecodeBlocks: 2 }), load({ workerId: id(8), activeDecodeBlocks: 3 }));
    const page = await pageOf([decode, other, prefill].map(({ metrics }) => metrics));
    expect(samplesNamed(page, 'dynamo_frontend_worker_active_decode_blocks')).toEqual([
      ['dynamo_frontend_worker_active_decode_blocks{dp_rank="0",worker_id="7",worker_type="decode"}', '1'],
      ['dynamo_frontend_worker_active_decode_blocks{dp_rank="0",worker_id="8",worker_type="decode"}', '3'],
      ['dynamo_frontend_worker_active_decode_blocks{dp_rank="0",worker_id="7",worker_type="prefill"}', '1'],
    ]);
    // What is left out of them is a number.
    const leftOut = async (...pools: TestPool[]) =>
      samplesNamed(await pageOf(pools.map(({ metrics }) => metrics)), 'tidemark_workers_in_several_pools');
    expect(await leftOut(decode, other, prefill)).toEqual([['tidemark_workers_in_several_pools', '1']]);
    expect(await leftOut(decode, prefill)).toEqual([['tidemark_workers_in_several_pools', '0']]);
    expect(samplesNamed(page, 'tidemark_worker_busy').map(([series]) => series)).toEqual([
      'tidemark_worker_busy{pool="a",worker_id="7"}',
      'tidemark_worker_busy{pool="b",worker_id="7"}',
      'tidemark_worker_busy{pool="b",worker_id="8"}',
      'tidemark_worker_busy{pool="c",worker_id="7"}',
    ]);
  });

  it('are refused with the same labels, in whatever order', async () => {
    const pools = [
      { a: '1', b: '2' },
      { b: '2', a: '1' },
    ].map((labels) => new TestPool({ labels }).metrics);
    await expect(pageOf(pools)).rejects.toMatchObject({
      name: 'MetricsOptionsError',
      code: 'metrics-options',
    });
    await expect(pageOf([new TestPool().metrics, new TestPool().metrics])).rejects.toThrow(
      /same labels|labels \{\}/,
    );
  });

  it('may be absent', async () => {
    expect(await pageOf([])).toBe('');
    expect(await pageOf([], 'openmetrics')).toBe('# EOF\n');
  });
});

describe('texts of others', () => {
  it('are escaped in label values, also in invalid ids', async () => {
    const pool = new TestPool({ labels: { pool: 'a"b\\c\nd é 模 \u{1F600}' } });
    pool.monitor.connect();
    const hostile = '7"} 1\nevil{x="\\é' as WorkerId;
    pool.apply(load({ workerId: hostile, activeDecodeBlocks: 1 }));
    const page = await pageOf([pool.metrics]);
    expect(samplesNamed(page, 'dynamo_frontend_worker_active_decode_blocks')).toEqual([
      [
        'dynamo_frontend_worker_active_decode_blocks{dp_rank="0",worker_id="7\\"} 1\\nevil{x=\\"\\\\é",worker_type="decode"}',
        '1',
      ],
    ]);
    expect(samplesNamed(page, 'tidemark_monitor_connected')).toEqual([
      ['tidemark_monitor_connected{pool="a\\"b\\\\c\\nd é 模 \u{1F600}"}', '1'],
    ]);
    expect(page).not.toMatch(/^evil/m);
  });

  it('are limited in number and length', async () => {
    const statuses = Array.from({ length: 500 }, (_, index) =>
      of<SourceStatus>({ source: `${index}${'x'.repeat(5000)}`, state: 'down', since: 0 }),
    );
    const pool = new TestPool({}, {}, { status: statuses });
    pool.metrics.counting$.subscribe();
    pool.monitor.connect();
    for (let index = 0; index < 500; index += 1) {
      pool.apply({
        kind: 'problem',
        problem: { code: `made-up-${index}` as 'undecodable', source: 'loads', text: '', count: 2 },
      });
    }
    const page = await pageOf([pool.metrics]);
    const sources = samplesNamed(page, 'tidemark_source_state_since_timestamp_seconds');
    expect(sources).toHaveLength(64);
    expect(Math.max(...sources.map(([series]) => series.length))).toBeLessThan(200);
    expect(samplesNamed(page, 'tidemark_problems_total')).toHaveLength(problemCodes.length + 1);
    expect(samplesOf(page).get('tidemark_problems_total{code="other"}')).toBe('1000');
  });

  it.each([
    [{ 'a-b': 'x' }, /not a valid label name/],
    [{ __a: 'x' }, /not a valid label name/],
    [{ '': 'x' }, /not a valid label name/],
    [{ worker_id: 'x' }, /is reserved/],
    [{ check: 'x' }, /is reserved/],
    [{ pool: 'x'.repeat(257) }, /257 characters/],
    [{ pool: 7 as never }, /must be a string/],
    [Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`l${index}`, ''])), /at most 8/],
  ])('are refused as labels of a pool: %j', (labels, why) => {
    expect(() => new TestPool({ labels })).toThrow(why);
  });
});

describe('making a page', () => {
  it('lets others have their turn between chunks', async () => {
    const pool = new TestPool();
    pool.monitor.connect();
    for (let worker = 0; worker < 2000; worker += 1)
      pool.apply(load({ workerId: id(worker), activeDecodeBlocks: 1 }));
    let turns = 0;
    let making = true;
    const others = (async () => {
      for (; making; turns += 1) await setImmediate();
    })();
    let chunks = 0;
    for await (const chunk of renderMetrics([pool.metrics])) {
      chunks += 1;
      expect(chunk.length).toBeLessThan(40_000);
    }
    making = false;
    await others;
    expect(chunks).toBeGreaterThan(5);
    expect(turns).toBeGreaterThanOrEqual(chunks - 1);
  });

  it('also where a worker has very many ranks, and where nothing is written', async () => {
    const pool = new TestPool({ latencies: new WorkerLatencies() }, { policy: policies['dynamo-1.0'] });
    pool.monitor.connect();
    for (let dpRank = 0; dpRank < 20_000; dpRank += 1) pool.apply(load({ dpRank, activeDecodeBlocks: 1 }));
    for await (const chunk of renderMetrics([pool.metrics])) expect(chunk.length).toBeLessThan(40_000);

    const silent = new TestPool({}, { policy: policies['dynamo-1.0'] });
    silent.monitor.connect();
    for (let dpRank = 0; dpRank < 50_000; dpRank += 1) silent.apply(load({ dpRank }));
    let turns = 0;
    let making = true;
    const others = (async () => {
      for (; making; turns += 1) await setImmediate();
    })();
    await pageOf([silent.metrics]);
    making = false;
    await others;
    expect(turns).toBeGreaterThan(20);
  });

  it('ends when its reader breaks off', async () => {
    const pool = new TestPool();
    pool.monitor.connect();
    for (let worker = 0; worker < 2000; worker += 1)
      pool.apply(load({ workerId: id(worker), activeDecodeBlocks: 1 }));
    const page = renderMetrics([pool.metrics]);
    await page.next();
    await page.return();
    expect(await page.next()).toEqual({ done: true, value: undefined });
  });
});

describe('the age of a signal', () => {
  it('uses the clock of the monitor, for objects and for batches with a time of receipt', async () => {
    const pool = new TestPool();
    pool.monitor.connect();
    pool.advance(1600);
    pool.apply(load({ activeDecodeBlocks: 1 }));
    pool.advance(32_000);
    pool.apply(load({ dpRank: 1, activeDecodeBlocks: 1 }));
    const ages = samplesNamed(await pageOf([pool.metrics]), 'tidemark_rank_signal_age_seconds');
    expect(ages).toEqual([
      ['tidemark_rank_signal_age_seconds{dp_rank="0",worker_id="7"}', '32'],
      ['tidemark_rank_signal_age_seconds{dp_rank="1",worker_id="7"}', '0'],
    ]);
  });
});

it('the age of loads in columns needs the time of receipt of the batch', async () => {
  const decoder = new LoadBatchDecoder(policies.default);
  const batches$ = new Subject<LoadBatch>();
  const pool = new TestPool({}, {}, { loads: batches$ });
  pool.monitor.connect();
  const emit = (workerId: number): void => {
    decoder.clear();
    decoder.add(encodeActiveLoadJson(load({ workerId: id(workerId), activeDecodeBlocks: 1 })));
    expect(decoder.batch.count).toBe(1);
    batches$.next(decoder.batch);
  };
  emit(1);
  decoder.setReceivedAt(8000);
  emit(2);
  pool.advance(24_000);
  decoder.setReceivedAt(32_000);
  emit(3);
  const page = await pageOf([pool.metrics]);
  expect(samplesNamed(page, 'tidemark_worker_busy')).toHaveLength(3);
  // The first has no time of receipt; the last is in the future, because the clocks disagree.
  expect(samplesNamed(page, 'tidemark_rank_signal_age_seconds')).toEqual([
    ['tidemark_rank_signal_age_seconds{dp_rank="0",worker_id="2"}', '16'],
    ['tidemark_rank_signal_age_seconds{dp_rank="0",worker_id="3"}', '0'],
  ]);
});

it('the type of a worker is that of its role', async () => {
  const pool = new TestPool({}, {}, { prefillInstances: of<Observable<WorkerId[]>>(of([id(9)])) });
  pool.monitor.connect();
  pool.apply(fleet.load(9, { activePrefillTokens: 3 }));
  expect(samplesNamed(await pageOf([pool.metrics]), 'dynamo_frontend_worker_active_prefill_tokens')).toEqual([
    ['dynamo_frontend_worker_active_prefill_tokens{dp_rank="0",worker_id="9",worker_type="prefill"}', '3'],
  ]);
});
