import type { Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { scrapeStats } from '../../../src/adapters/nats/scrape-stats.js';
import type { ForwardPassMetrics } from '../../../src/core/aggregator/load-metrics.js';
import { metricsAggregator } from '../../../src/core/aggregator/metrics-aggregator.js';
import type { ProcessedEndpoints } from '../../../src/core/aggregator/processed-endpoints.js';
import type { Scrape } from '../../../src/core/aggregator/scrape.js';
import type { Problem } from '../../../src/core/sources/problem.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { workerId, type WorkerId } from '../../../src/core/worker-id.js';
import { encodeForwardPassMetrics } from '../../../src/wire/services/forward-pass-metrics.js';
import { encodeServiceStats } from '../../../src/wire/services/service-encoder.js';
import {
  serviceEndpointName,
  serviceName,
  serviceSubject,
} from '../../../src/wire/services/service-names.js';
import { decodeServiceStats } from '../../../src/wire/services/service-stats.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { sharedNats } from '../../support/shared-servers.js';
import { Responders, type Answer } from './responders.js';
import { scrapeOfAll } from './scrape-outcome.js';

const SERVICE = serviceName('dynamo', 'backend');
const SUBJECT = `$SRV.STATS.${SERVICE}`;
const FIRST = 7_587_888_657_184_927_000n;

/** The id of the n-th worker: above 2^53, as real ids are. */
const idOf = (number: number): WorkerId => workerId(String(FIRST + BigInt(number)));

function metricsOf(kvActiveBlocks: number): ForwardPassMetrics {
  return {
    workerStats: {
      dataParallelRank: null,
      requestActiveSlots: 3,
      requestTotalSlots: 256,
      numRequestsWaiting: 0,
    },
    kvStats: { kvActiveBlocks, kvTotalBlocks: 10_000, gpuCacheUsagePerc: 0.5, gpuPrefixCacheHitRate: 0 },
    specDecodeStats: null,
  };
}

/** The reply of a worker. By default its active blocks are its number. */
function statsOf(number: number, blocks = number): Uint8Array {
  const id = idOf(number);
  const endpoints = ['generate', 'load_metrics'].map((endpoint) => {
    const subject = serviceSubject(SERVICE, endpoint, id);
    const counts = { numRequests: 0, numErrors: 0, processingTime: 0, averageProcessingTime: 0 };
    const data = endpoint === 'generate' ? null : encodeForwardPassMetrics(metricsOf(blocks));
    return { name: serviceEndpointName(subject), subject, queueGroup: 'q', ...counts, lastError: '', data };
  });
  const started = '2026-11-21T11:41:07.259426032Z';
  return encodeServiceStats({ name: SERVICE, id, version: '0.0.1', started, endpoints });
}

/** Subscribes to an aggregator of a server and records the emissions. */
class Aggregated implements Disposable {
  readonly snapshots: ProcessedEndpoints[] = [];
  readonly problems: Problem[] = [];
  readonly statuses: SourceStatus[] = [];
  private readonly subscription: Subscription;

  constructor(scrape$: Scrape) {
    const { endpoints$, problems$, status$ } = metricsAggregator(scrape$, {
      service: SERVICE,
      endpoint: 'load_metrics',
      decode: decodeServiceStats,
      maxScrapeMs: 60_000,
    });
    this.subscription = endpoints$.subscribe((snapshot) => this.snapshots.push(snapshot));
    this.subscription.add(problems$.subscribe((problem) => this.problems.push(problem)));
    this.subscription.add(status$.subscribe((status) => this.statuses.push(status)));
  }

  /** The number of workers in the current snapshot. */
  get size(): number {
    return this.snapshots.at(-1)?.endpoints.length ?? -1;
  }

  [Symbol.dispose](): void {
    this.subscription.unsubscribe();
  }
}

describeWith('nats-server', 'metricsAggregator on a fleet of 1 000 workers', () => {
  const SIZE = 1_000;
  const whole = (SIZE - 1) / 2;

  it('sees all of them in one scrape, and emits an equal snapshot once', async () => {
    const server = await sharedNats();
    await using responders = await Responders.connect(server.url, 8);
    const answers = Array.from({ length: SIZE }, (_, n) => (): Answer => ({ reply: statsOf(n) }));
    await responders.addAll(SUBJECT, answers);
    using aggregated = new Aggregated(scrapeOfAll({ servers: server.url }, SERVICE, () => SIZE));
    await eventually(() => (responders.asked[0] ?? 0) > 4);
    expect(aggregated.problems).toEqual([]);
    expect(aggregated.snapshots.map(({ endpoints }) => endpoints.length)).toEqual([0, SIZE]);
    const [, snapshot] = aggregated.snapshots;
    expect(snapshot?.loadAvg).toBe(whole);
    expect(snapshot?.loadStd).toBeCloseTo(Math.sqrt((SIZE ** 2 - 1) / 12), 6);
    expect(snapshot?.workerIds().at(-1)).toBe(idOf(SIZE - 1));
  });

  it('ten are dead and ten send garbage - exactly those are reported, and the others count', async () => {
    const server = await sharedNats();
    await using responders = await Responders.connect(server.url, 8);
    const dead = new Set(Array.from({ length: 10 }, (_, n) => 50 * n));
    const garbled = new Set(Array.from({ length: 10 }, (_, n) => 50 * n + 7));
    let harm = false;
    const answer = (n: number): Answer | null => {
      if (harm && dead.has(n)) return null;
      const reply = statsOf(n);
      return { reply: harm && garbled.has(n) ? reply.subarray(0, reply.length / 2) : reply };
    };
    await responders.addAll(
      SUBJECT,
      Array.from({ length: SIZE }, (_, n) => () => answer(n)),
    );
    const count = (): number => (harm ? SIZE - dead.size : SIZE);
    using aggregated = new Aggregated(scrapeOfAll({ servers: server.url }, SERVICE, count));
    await eventually(() => aggregated.size === SIZE);
    harm = true;
    await eventually(() => aggregated.size === SIZE - 20);
    const of = (code: Problem['code']): Problem[] => aggregated.problems.filter((one) => one.code === code);
    // An unreadable reply has no worker id, so the scrape lacks the ten dead workers and those ten.
    expect(new Set(of('worker-missed').map(({ workerId }) => workerId))).toEqual(
      new Set([...dead, ...garbled].map(idOf)),
    );
    expect(of('worker-missed')).toHaveLength(20);
    expect(of('undecodable').length % 10).toBe(0);
    expect(aggregated.problems.length).toBe(of('worker-missed').length + of('undecodable').length);
    harm = false;
    await eventually(() => aggregated.size === SIZE);
    expect(aggregated.snapshots.at(-1)?.loadAvg).toBe(whole);
  });

  it('connection lost during a scrape - the snapshot is kept, the status has the reason, the next complete scrape recovers', async () => {
    const server = await sharedNats();
    await using proxy = await startFaultProxy({ to: server.port });
    await using responders = await Responders.connect(server.url, 8);
    let [slow, more] = [false, 0];
    const answers = Array.from({ length: SIZE }, (_, n) => (): Answer => {
      return { reply: statsOf(n, n + more), ...(slow && n >= SIZE / 2 && { afterMs: 60_000 }) };
    });
    await responders.addAll(SUBJECT, answers);
    const asked = (): number => Math.max(...responders.asked);
    const access = { servers: `nats://127.0.0.1:${proxy.port}` };
    using aggregated = new Aggregated(scrapeStats(access, SERVICE, { windowMs: 5_000 }));
    await eventually(() => aggregated.size === SIZE);
    slow = true;
    more = 5;
    const before = asked();
    await eventually(() => responders.asked.every((count) => count > before));
    proxy.cut();
    await eventually(() => aggregated.statuses.at(-1)?.state === 'down');
    expect(aggregated.snapshots).toHaveLength(2);
    expect(aggregated.snapshots.at(-1)?.loadAvg).toBe(whole);
    expect(aggregated.statuses.at(-1)?.why).toMatch(/NATS at .*(closed|reset|disconnect)/i);
    expect(aggregated.problems.map(({ code }) => code)).toEqual(['scrape-failed']);
    slow = false;
    await eventually(() => aggregated.statuses.at(-1)?.state === 'live');
    expect(aggregated.snapshots.at(-1)?.loadAvg).toBe(whole + 5);
    expect(aggregated.size).toBe(SIZE);
  });
});
