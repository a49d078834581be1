import { defer, NEVER, of, throwError, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import {
  AggregatorOptionsError,
  type MetricsAggregatorOptions,
} from '../../../src/core/aggregator/aggregator-options.js';
import { aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import { metricsAggregator } from '../../../src/core/aggregator/metrics-aggregator.js';
import { type Scrape, ScrapeError } from '../../../src/core/aggregator/scrape.js';
import { rankOf } from '../../../src/core/aggregator/scraped-entries.js';
import { decodeServiceStats } from '../../../src/wire/services/service-stats.js';
import { metricsOf, statsReply } from '../../support/scraped.js';

const wanted = { service: 'dynamo_backend', endpoint: 'load_metrics', decode: decodeServiceStats };
const scrapeOf = (...replies: Uint8Array[]): Scrape =>
  of(...replies.map((data) => ({ data, receivedAt: 0 })));
const worker = (id: string, blocks = 10): Uint8Array => statsReply(id, metricsOf(blocks));

/** All emissions of the outputs of an aggregator within some milliseconds, in order. */
function heard<T>(
  scrape: Scrape,
  options: Partial<MetricsAggregatorOptions>,
  ms: number,
  select: (aggregator: ReturnType<typeof metricsAggregator>) => Observable<T>,
): T[] {
  const values: T[] = [];
  const scheduler = new TestScheduler(() => true);
  scheduler.run(() => {
    const aggregator = metricsAggregator(scrape, { ...wanted, ...options, scheduler });
    const subscription = select(aggregator).subscribe((value) => values.push(value));
    scheduler.schedule(() => subscription.unsubscribe(), ms);
  });
  return values;
}

describe('metricsAggregator', () => {
  it('the status of a failure has its reason, its start, and the wait before the next try', () => {
    const failing$ = throwError(() => new ScrapeError('disconnected', 'The connection was lost.'));
    expect(heard(failing$, {}, 1_000, ({ status$ }) => status$)).toEqual([
      { source: 'scrape', state: 'connecting', since: 0, why: 'waiting for dynamo_backend.load_metrics' },
      { source: 'scrape', state: 'down', since: 100, why: 'The connection was lost.', retryInMs: 200 },
      { source: 'scrape', state: 'down', since: 100, why: 'The connection was lost.', retryInMs: 400 },
      { source: 'scrape', state: 'down', since: 100, why: 'The connection was lost.', retryInMs: 800 },
    ]);
    const [problem] = heard(failing$, {}, 150, ({ problems$ }) => problems$);
    expect(problem).toMatchObject({
      code: 'scrape-failed',
      source: 'scrape',
      text: expect.stringContaining('The connection was lost') as string,
    });
  });

  it('no wait is longer than the longest, however long there are no replies', () => {
    const failing$ = throwError(() => new Error('down'));
    const waits = heard(failing$, { longestWaitMs: 300 }, 5_000, ({ status$ }) => status$);
    expect(waits.map(({ retryInMs }) => retryInMs)).toEqual([undefined, 200, 300]);
    const { compat: policy } = aggregatorPolicies;
    expect(heard(failing$, { policy }, 1_050, ({ problems$ }) => problems$)).toHaveLength(10);
  });

  it('the status names the found endpoint, once', () => {
    expect(heard(scrapeOf(worker('16')), {}, 1_000, ({ status$ }) => status$)).toMatchObject([
      { state: 'connecting' },
      { state: 'live', since: 100, why: 'found dynamo_backend.load_metrics' },
    ]);
  });

  it('a decoder that throws is a failed scrape, and so is a scrape that throws when it is subscribed to', () => {
    const decode = (): never => {
      throw new Error('a defect');
    };
    const texts = (scrape: Scrape, options: Partial<MetricsAggregatorOptions>): string[] =>
      heard(scrape, options, 150, ({ problems$ }) => problems$).map(({ text }) => text);
    expect(texts(scrapeOf(worker('16')), { decode })).toEqual([expect.stringContaining('a defect')]);
    expect(texts(defer(decode), {})).toEqual([expect.stringContaining('a defect')]);
  });

  it('in a round the snapshot is emitted first, then problems, then the status, in any order of subscription', () => {
    const scheduler = new TestScheduler(() => true);
    const emitted: string[] = [];
    scheduler.run(() => {
      const garbage = new Uint8Array([1]);
      const scrape$ = scrapeOf(garbage, worker('16'));
      const { endpoints$, problems$, status$ } = metricsAggregator(scrape$, { ...wanted, scheduler });
      const subscriptions = [
        status$.subscribe(({ state }) => emitted.push(state)),
        problems$.subscribe(({ code }) => emitted.push(code)),
        endpoints$.subscribe(({ loadAvg }) => emitted.push(String(loadAvg))),
      ];
      scheduler.schedule(() => subscriptions.forEach((one) => one.unsubscribe()), 150);
    });
    expect(emitted).toEqual(['connecting', '0', '10', 'undecodable', 'live']);
  });

  it('the snapshot exists while there is a subscriber', () => {
    const scheduler = new TestScheduler(() => true);
    const seen: unknown[] = [];
    scheduler.run(() => {
      const aggregator = metricsAggregator(scrapeOf(worker('16')), { ...wanted, scheduler });
      const look = (): unknown => seen.push(aggregator.snapshot()?.loadAvg);
      look();
      const listening = aggregator.problems$.subscribe();
      look();
      scheduler.schedule(look, 150);
      scheduler.schedule(() => listening.unsubscribe(), 200);
      scheduler.schedule(look, 250);
    });
    expect(seen).toEqual([undefined, 0, 10, undefined]);
  });

  it('a thousand workers that leave at once are one problem', () => {
    let rounds = 0;
    const fleet = Array.from({ length: 1_000 }, (_, at) => worker(String(at)));
    const scrape$ = defer(() => scrapeOf(...(rounds++ === 0 ? fleet : [])));
    expect(heard(scrape$, {}, 250, ({ problems$ }) => problems$)).toMatchObject([
      { code: 'worker-missed', count: 1_000, text: expect.stringContaining('2 more scrapes') as string },
    ]);
  });

  it('a worker with ranks is missed once, when the last of them is gone', () => {
    const replies = [[0, 1], [1], [], []].map((ranks) =>
      scrapeOf(...ranks.map((rank) => statsReply('16', metricsOf(10, rank))), new Uint8Array([1])),
    );
    let rounds = 0;
    const scrape$ = defer(() => replies[rounds++] ?? NEVER);
    const found = heard(scrape$, {}, 650, ({ problems$ }) => problems$);
    expect(found.filter(({ code }) => code === 'worker-missed')).toMatchObject([
      { workerId: '16', count: 1, text: expect.stringContaining('2 more scrapes') as string },
    ]);
    rounds = 0;
    const snapshots = heard(scrape$, {}, 650, ({ endpoints$ }) => endpoints$);
    expect(snapshots.map(({ endpoints }) => endpoints.map(rankOf))).toEqual([[], [0, 1], [1]]);
  });

  it('an error lists everything that is wrong with the options', () => {
    const policy = { ...aggregatorPolicies.default, missesUntilGone: 0 };
    const wrong = { service: '', endpoint: '', waitMs: 0, longestWaitMs: -1, maxScrapeMs: NaN, policy };
    const build = (): unknown => metricsAggregator(NEVER, { ...wanted, ...wrong });
    expect(build).toThrow(AggregatorOptionsError);
    expect(build).toThrow(/service.*endpoint.*waitMs.*longestWaitMs.*maxScrapeMs.*missesUntilGone/);
    expect(() => metricsAggregator(NEVER, { ...wanted, waitMs: 10_000 })).not.toThrow();
  });
});
