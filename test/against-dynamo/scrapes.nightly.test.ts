import { beforeAll, describe, expect, it } from 'vitest';
import { scrapeStats } from '../../src/adapters/nats/scrape-stats.js';
import { serveStats } from '../../src/adapters/nats/serve-stats.js';
import { aggregatorPolicies } from '../../src/core/aggregator/aggregator-policy.js';
import type { ProcessedEndpoints } from '../../src/core/aggregator/processed-endpoints.js';
import { workerId } from '../../src/core/worker-id.js';
import { KvMetricsAggregator } from '../../src/dynamo/scraped-endpoints.js';
import { seededRandom } from '../../src/simulator/simulated-worker.js';
import { encodeForwardPassMetrics } from '../../src/wire/services/forward-pass-metrics.js';
import { serviceName, serviceSubject } from '../../src/wire/services/service-names.js';
import { startEtcd } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { startNats } from '../support/nats-server.js';
import { publishedMetrics, type PublishedMetrics } from '../support/published-metrics.js';
import { dynamoPython } from './dynamo-python.js';
import { startRealAggregator, type RealMetrics } from './real-aggregator.js';
import { startRealScrapedWorker } from './real-scraped-worker.js';

const componentName = { namespace: 'dynamo', component: 'backend' };
const PUBLICATIONS = 10;
const INSTALL_MS = 1_800_000;

function aggregatorOf({ url }: { readonly url: string }): KvMetricsAggregator {
  const scrape$ = scrapeStats(
    { servers: url },
    serviceName(componentName.namespace, componentName.component),
  );
  const aggregator = new KvMetricsAggregator(scrape$, componentName, { policy: aggregatorPolicies.compat });
  aggregator.connect();
  return aggregator;
}

/** A form in which both sides can be compared: numbers as Dynamo prints them, endpoints by id. */
function comparable({ loadAvg, loadStd, endpoints }: ProcessedEndpoints): RealMetrics {
  const text = (value: number): string =>
    Number.isNaN(value) ? 'nan' : `${value}${value % 1 === 0 ? '.0' : ''}`;
  return sorted({
    loadAvg: text(loadAvg),
    loadStd: text(loadStd),
    endpoints: endpoints.map(({ workerId: id, data }) => {
      if (!('engineLoadMetrics' in data)) throw new Error('not the metrics of an engine');
      const { workerStats, kvStats } = data.engineLoadMetrics;
      const { requestActiveSlots, requestTotalSlots, numRequestsWaiting } = workerStats;
      return { workerId: id, requestActiveSlots, requestTotalSlots, numRequestsWaiting, ...kvStats };
    }) as RealMetrics['endpoints'],
  });
}

function sorted(metrics: RealMetrics): RealMetrics {
  const endpoints = [...metrics.endpoints].sort((a, b) => (a.workerId < b.workerId ? -1 : 1));
  return { ...metrics, endpoints };
}

function metricsOf(random: () => number): PublishedMetrics {
  return {
    worker_stats: {
      request_active_slots: Math.floor(random() * 256),
      request_total_slots: 256,
      num_requests_waiting: Math.floor(random() * 10),
      data_parallel_rank: random() < 0.5 ? null : Math.floor(random() * 8),
    },
    kv_stats: {
      kv_active_blocks: Math.floor(random() * 4096),
      kv_total_blocks: 4096,
      gpu_cache_usage_perc: random(),
      gpu_prefix_cache_hit_rate: random(),
    },
  };
}

function print(title: string, ours: RealMetrics, real: RealMetrics): void {
  const line = ({ loadAvg, loadStd, endpoints }: RealMetrics): string =>
    `average ${loadAvg}, deviation ${loadStd}, ${endpoints.map(({ workerId: id, kvActiveBlocks }) => `${id}: ${kvActiveBlocks}`).join(', ')}`;
  process.stdout.write(`${title}\n  tidemark    ${line(ours)}\n  aggregator  ${line(real)}\n`);
}

describe('Dynamo 0.6.0', { timeout: 300_000 }, () => {
  beforeAll(() => dynamoPython('0.6.0'), INSTALL_MS);

  it('real workers: tidemark and the aggregator have the same metrics', async () => {
    await using nats = await startNats({ jetstream: true });
    await using etcd = await startEtcd();
    const servers = { nats, etcd };
    await using first = await startRealScrapedWorker(servers);
    await using second = await startRealScrapedWorker(servers);
    await using real = await startRealAggregator(servers);
    using ours = aggregatorOf(nats);
    const problems: string[] = [];
    const subscription = ours.problems$.subscribe(({ code, text }) => problems.push(`${code}: ${text}`));
    const random = seededRandom(5);
    for (let n = 0; n < PUBLICATIONS; n += 1) {
      const published = [first, second].map((worker) => ({ worker, metrics: metricsOf(random) }));
      for (const { worker, metrics } of published) worker.publish(metrics);
      const blocks = new Map(
        published.map(({ worker, metrics }) => [worker.id, metrics.kv_stats.kv_active_blocks]),
      );
      await eventually(async () => {
        expect(comparable(ours.getEndpoints())).toEqual(sorted(await real.metrics()));
        expect(new Map(ours.getEndpoints().activeBlocks())).toEqual(blocks);
      });
      print(
        `real workers, publication ${n + 1}`,
        comparable(ours.getEndpoints()),
        sorted(await real.metrics()),
      );
    }
    subscription.unsubscribe();
    expect(problems).toEqual([]);
  });

  it('the aggregator and tidemark read tidemark’s responders in the same way', async () => {
    await using nats = await startNats({ jetstream: true });
    await using etcd = await startEtcd();
    await using real = await startRealAggregator({ nats, etcd });
    using ours = aggregatorOf(nats);
    const random = seededRandom(6);
    const service = serviceName(componentName.namespace, componentName.component);
    const ids = ['7', '4611686018427387904', '9223372036854775807'];
    let metrics = ids.map(() => metricsOf(random));
    const serving = ids.map((id, index) =>
      serveStats({ servers: nats.url }, service, [
        {
          subject: serviceSubject(service, 'load_metrics', workerId(id)),
          stats: () => ({ data: encodeForwardPassMetrics(publishedMetrics(metrics[index]!)) }),
        },
      ]).subscribe(),
    );
    try {
      for (let n = 0; n < PUBLICATIONS; n += 1) {
        metrics = ids.map(() => metricsOf(random));
        const average = metrics.reduce((sum, { kv_stats: kv }) => sum + kv.kv_active_blocks, 0) / 3;
        await eventually(async () => {
          const endpoints = ours.getEndpoints();
          expect(comparable(endpoints)).toEqual(sorted(await real.metrics()));
          expect(endpoints.loadAvg).toBe(average);
        });
        print(
          `tidemark’s responders, answer ${n + 1}`,
          comparable(ours.getEndpoints()),
          sorted(await real.metrics()),
        );
      }
    } finally {
      for (const subscription of serving) subscription.unsubscribe();
    }
  });
});
