import { Gauge, Registry, register, type OpenMetricsContentType } from 'prom-client';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { workerGauges } from '../../../src/adapters/prometheus/metric-names.js';
import { MetricNameTakenError } from '../../../src/adapters/prometheus/metrics-errors.js';
import type { PoolMetrics } from '../../../src/adapters/prometheus/pool-metrics.js';
import { type MetricsRegistry, registryMetrics } from '../../../src/adapters/prometheus/registry-metrics.js';
import { seriesCleanup } from '../../../src/adapters/prometheus/series-cleanup.js';
import { WorkerLatencies } from '../../../src/adapters/prometheus/worker-latencies.js';
import { performCleanup, type CleanupOutcome } from '../../../src/core/pipeline/perform-cleanup.js';
import type { Role } from '../../../src/core/events/fleet-event.js';
import type { Cleanup } from '../../../src/core/state/cleanup.js';
import type { WorkerId } from '../../../src/core/worker-id.js';
import { id, load } from '../../support/fleet.js';
import { pageOf, samplesNamed, samplesOf } from './page.js';
import { TestPool } from './pool.js';

const thresholds = { activeDecodeBlocksThreshold: 0.85 };

function busyPool(): TestPool {
  const pool = new TestPool(
    { labels: { pool: 'a"b' }, latencies: new WorkerLatencies(), legacy: { component: 'c', endpoint: 'e' } },
    { thresholds },
  );
  pool.monitor.connect();
  pool.apply(
    { kind: 'configs', workers: new Map([[id(7), { totalKvBlocks: 100 }]]) },
    load({ kvUsedBlocks: 90, activeDecodeBlocks: 2 ** 40 }),
  );
  pool.metrics.latencies?.firstToken({ workerId: id(7), workerType: 'decode' }, 0.5, 3);
  return pool;
}

/** Subscribes and returns the outcome. */
function collect(
  registry: MetricsRegistry,
  pools: readonly PoolMetrics[],
): { error?: unknown; stop(): void } {
  const outcome: { error?: unknown; stop(): void } = { stop: () => subscription.unsubscribe() };
  const subscription = registryMetrics(registry, pools).subscribe({
    error: (error: unknown) => (outcome.error = error),
  });
  return outcome;
}

describe('a registry of prom-client', () => {
  it.each(['text', 'openmetrics'] as const)('has the same samples as a page: %s', async (format) => {
    const pool = busyPool();
    const registry = new Registry<OpenMetricsContentType>();
    if (format === 'openmetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const collecting = collect(registry, [pool.metrics]);
    pool.apply(load({ kvUsedBlocks: 3 }), load({ topic: 'x' }));
    for (let time = 0; time < 2; time += 1) {
      const text = await registry.metrics();
      expect(samplesOf(text)).toEqual(samplesOf(await pageOf([pool.metrics], format)));
    }
    collecting.stop();
    expect((await registry.metrics()).trim()).toBe(format === 'text' ? '' : '# EOF');
  });

  it('gives all values of one moment as objects, and ignores a reset', async () => {
    const pool = busyPool();
    const registry = new Registry();
    collect(registry, [pool.metrics]);
    registry.resetMetrics();
    const metrics = await registry.getMetricsAsJSON();
    const busy = metrics.find(({ name }) => name === 'tidemark_worker_busy');
    expect(busy).toMatchObject({
      type: 'gauge',
      values: [{ value: 1, labels: { pool: 'a"b', worker_id: '7' } }],
    });
    expect(await registry.getSingleMetricAsString('tidemark_monitor_connected')).toContain('} 1');
  });

  it('is the one that is given, never the global one', () => {
    collect(new Registry(), [busyPool().metrics]);
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('that holds one of the names is refused, with all of them, and stays as it was', () => {
    const registry = new Registry();
    const theirs = ['tidemark_worker_busy', 'dynamo_frontend_worker_active_decode_blocks'];
    for (const name of theirs) new Gauge({ name, help: 'theirs', registers: [registry] });
    const { error } = collect(registry, [new TestPool().metrics]);
    expect(error).toBeInstanceOf(MetricNameTakenError);
    expect(error).toMatchObject({ code: 'metric-name-taken' });
    expect((error as MetricNameTakenError).names.toSorted()).toEqual(theirs.toSorted());
    expect(registry.getMetricsAsArray()).toHaveLength(2);
  });

  it('is refused a second time, and not once the first is over', () => {
    const registry = new Registry();
    const pool = new TestPool().metrics;
    const first = collect(registry, [pool]);
    expect(collect(registry, [pool]).error).toBeInstanceOf(MetricNameTakenError);
    first.stop();
    expect(collect(registry, [pool]).error).toBeUndefined();
  });

  it('loses nothing but what we put into it', () => {
    const registry = new Registry();
    const collecting = collect(registry, [new TestPool().metrics]);
    registry.clear();
    const theirs = new Gauge({ name: 'tidemark_worker_busy', help: 'theirs', registers: [registry] });
    collecting.stop();
    expect(registry.getSingleMetric('tidemark_worker_busy')).toBe(theirs);
  });

  it('rejects pools with the same labels', () => {
    const registry = new Registry();
    expect(collect(registry, [new TestPool().metrics, new TestPool().metrics]).error).toMatchObject({
      code: 'metrics-options',
    });
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it('leaves the latency gauges to its owner, unless a pool has latencies', () => {
    const registry = new Registry();
    new Gauge({ ...workerGauges.lastTimeToFirstToken, registers: [registry] });
    expect(collect(registry, [new TestPool().metrics]).error).toBeUndefined();
    const other = new Registry();
    new Gauge({ ...workerGauges.lastTimeToFirstToken, registers: [other] });
    expect(collect(other, [busyPool().metrics]).error).toBeInstanceOf(MetricNameTakenError);
  });

  it('counts while it collects', async () => {
    const pool = new TestPool();
    pool.monitor.connect();
    const collecting = collect(new Registry(), [pool.metrics]);
    pool.apply(load({ topic: 'x' }));
    collecting.stop();
    pool.apply(load({ topic: 'x' }));
    const page = samplesOf(await pageOf([pool.metrics]));
    expect(page.get('tidemark_problems_total{code="foreign-topic"}')).toBe('1');
  });
});

describe('the cleanup of series', () => {
  const labels = (workerId: string, rank: number | 'none', type: Role = 'decode') => ({
    worker_id: workerId,
    dp_rank: String(rank),
    worker_type: type,
  });

  function gaugesOf(registry: Registry): Gauge[] {
    return Object.values(workerGauges).map(
      (gauge) => new Gauge<string>({ ...gauge, labelNames: [...gauge.labelNames], registers: [registry] }),
    );
  }

  function perform(target: Registry | WorkerLatencies, ...cleanups: Cleanup[]): CleanupOutcome[] {
    const outcomes: CleanupOutcome[] = [];
    of(...cleanups)
      .pipe(performCleanup(seriesCleanup(target)))
      .subscribe((outcome) => outcomes.push(outcome));
    return outcomes;
  }

  const seriesOf = async (registry: Registry): Promise<string[]> => [
    ...samplesOf(await registry.metrics()).keys(),
  ];

  it('removes a rank from all five gauges and “none” from the latencies only, also repeatedly', async () => {
    const registry = new Registry();
    for (const gauge of gaugesOf(registry)) {
      for (const rank of [0, 1, 'none'] as const) {
        gauge.set(labels('7', rank), 1);
        gauge.set(labels('7', rank, 'prefill'), 1);
        gauge.set(labels('8', rank), 1);
      }
    }
    const left: Cleanup = { workerId: id(7), dpRanks: [0, 'none'], workerType: 'decode' };
    const before = await seriesOf(registry);
    for (let time = 0; time < 2; time += 1) {
      expect(perform(registry, left)).toEqual([{ cleanup: left, ok: true }]);
      const gone = before.filter(
        (series) =>
          /worker_id="7".*worker_type="decode"/.test(sorted(series)) &&
          (/dp_rank="0"/.test(series) || (/dp_rank="none"/.test(series) && /_last_/.test(series))),
      );
      expect(gone).toHaveLength(8);
      expect(await seriesOf(registry)).toEqual(before.filter((series) => !gone.includes(series)));
    }
  });

  it('ignores missing series and the metrics of tidemark', async () => {
    const registry = new Registry();
    const pool = busyPool();
    collect(registry, [pool.metrics]);
    const before = await seriesOf(registry);
    const left: Cleanup = { workerId: id(7), dpRanks: [0], workerType: 'decode' };
    expect(perform(registry, left)[0]?.ok).toBe(true);
    expect(await seriesOf(registry)).toEqual(before);
    expect(perform(new Registry(), left)[0]?.ok).toBe(true);
  });

  it('finds series with more labels if they are given, and reports them otherwise', async () => {
    const registry = new Registry();
    const { name, help, labelNames } = workerGauges.lastTimeToFirstToken;
    const mine = new Gauge<string>({
      name,
      help,
      labelNames: [...labelNames, 'pool'],
      registers: [registry],
    });
    const plain = new Gauge<string>({
      ...workerGauges.lastInterTokenLatency,
      labelNames: [...labelNames],
      registers: [registry],
    });
    mine.set({ ...labels('7', 0), pool: 'a' }, 1);
    plain.set(labels('7', 0), 1);
    const left: Cleanup = { workerId: id(7), dpRanks: [0], workerType: 'decode' };
    const [outcome] = perform(registry, left);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'series-cleanup' } });
    expect(String((outcome as { error?: unknown }).error)).toContain('pool');
    expect((await plain.get()).values).toEqual([]);
    expect((await mine.get()).values).toHaveLength(1);
    registry.removeSingleMetric(workerGauges.lastInterTokenLatency.name);
    await seriesCleanup(registry, { labels: { pool: 'a' } })(left);
    expect((await mine.get()).values).toEqual([]);
  });

  it('leaves no series of a thousand departed workers in a user’s registry', async () => {
    const registry = new Registry();
    const gauges = gaugesOf(registry);
    const pool = new TestPool({}, { thresholds });
    const outcomes: boolean[] = [];
    pool.monitor.cleanups$
      .pipe(performCleanup(seriesCleanup(registry)))
      .subscribe(({ ok }) => outcomes.push(ok));
    pool.monitor.connect();
    pool.apply({ kind: 'decodeInstances', workerIds: [] }, { kind: 'configs', workers: new Map() });
    const workers = Array.from({ length: 1000 }, (_, index) => id(1000 + index));
    for (const [index, workerId] of workers.entries()) {
      pool.apply(
        { kind: 'instance', workerId, present: true },
        { kind: 'config', workerId, config: { totalKvBlocks: 100, dataParallelSize: 2 } },
      );
      for (const dpRank of [0, 1]) pool.apply(load({ workerId, dpRank, kvUsedBlocks: 90 }));
      for (const gauge of gauges) {
        for (const rank of [0, 1]) gauge.set(labels(workerId, rank), 1);
        if (gauge !== gauges[0] && gauge !== gauges[1]) gauge.set(labels(workerId, 'none'), 1);
      }
      const leaver = workers[index - 10];
      if (leaver !== undefined) pool.apply({ kind: 'instance', workerId: leaver, present: false });
    }
    expect((await seriesOf(registry)).length).toBe(10 * 13);
    pool.apply({ kind: 'decodeInstances', workerIds: [] });
    expect(await seriesOf(registry)).toEqual([]);
    expect(outcomes).not.toContain(false);
  });
});

describe('latencies without a registry', () => {
  it('reject an invalid duration', () => {
    const latencies = new WorkerLatencies();
    const worker = { workerId: id(7), workerType: 'decode' } as const;
    for (const value of [NaN, -1, Infinity, '1' as never]) {
      expect(() => latencies.laterToken(worker, value)).toThrow(/seconds must be a finite number/);
      expect(() => latencies.firstToken(worker, 1, value)).toThrow(/inputSequenceTokens must be/);
    }
    expect(latencies.size).toBe(0);
  });

  it('are dropped by a cleanup, and are not missed for one page only', async () => {
    const latencies = new WorkerLatencies();
    const pool = new TestPool({ latencies });
    pool.monitor.connect();
    pool.apply({ kind: 'decodeInstances', workerIds: [id(7)] }, load(), load({ workerId: id(8) }));
    for (const workerId of [id(7), id(8)] as WorkerId[])
      latencies.laterToken({ workerId, dpRank: 0, workerType: 'decode' }, 0.5);
    const shown = async () =>
      samplesNamed(await pageOf([pool.metrics]), workerGauges.lastInterTokenLatency.name).length;
    expect(await shown()).toBe(1);
    // The message arrives shortly after the first answer.
    pool.apply({ kind: 'decodeInstances', workerIds: [id(7), id(8)] });
    expect(await shown()).toBe(2);
    const cleanup: Cleanup = { workerId: id(7), dpRanks: [0], workerType: 'decode' };
    await seriesCleanup(latencies)(cleanup);
    await seriesCleanup(latencies)(cleanup);
    expect(await shown()).toBe(1);
  });
});

function sorted(series: string): string {
  const [, labels = ''] = /\{(.*)\}/.exec(series) ?? [];
  return labels.split(',').sort().join(',');
}
