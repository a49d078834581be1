import fc from 'fast-check';
import { of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import { engineLoads } from '../../../src/core/aggregator/engine-loads.js';
import { ProcessedEndpoints } from '../../../src/core/aggregator/processed-endpoints.js';
import { readScrape } from '../../../src/core/aggregator/read-scrape.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { workerId } from '../../../src/core/worker-id.js';
import { decodeServiceStats } from '../../../src/wire/services/service-stats.js';
import { metricsOf, scrapedEndpoint, statsReply } from '../../support/scraped.js';

describe('engineLoads', () => {
  it('an old fleet gets busy sets, transitions and explanations', () => {
    const snapshots$ = new Subject<ProcessedEndpoints>();
    const configs = new Map(['16', '17'].map((id) => [workerId(id), { totalKvBlocks: 100 }]));
    const cards$ = new Subject<typeof configs>();
    const monitor = loadMonitor(
      { loads: snapshots$.pipe(engineLoads()), configs: cards$ },
      { policy: policies.default, thresholds: { activeDecodeBlocksThreshold: 0.5 } },
    );
    const texts: string[] = [];
    monitor.transitions$.subscribe(({ verdict }) => texts.push(verdict.text));
    monitor.connect();
    cards$.next(configs);
    snapshots$.next(ProcessedEndpoints.of([scrapedEndpoint('17', 10), scrapedEndpoint('16', 90)]));
    snapshots$.next(ProcessedEndpoints.of([scrapedEndpoint('17', 60), scrapedEndpoint('16', 20)]));
    expect(texts).toEqual([
      expect.stringContaining('worker 16 is busy') as string,
      expect.stringContaining('worker 17 is free') as string,
      expect.stringContaining('worker 16 is free') as string,
      expect.stringContaining('worker 17 is busy') as string,
    ]);
    expect(monitor.explain(workerId('17'))?.busy).toBe(true);
    monitor.stop();
  });

  it('ranks are kept, wide counts keep their digits, and a prediction gives no load', () => {
    const loads: unknown[] = [];
    const snapshots$ = new Subject<ProcessedEndpoints>();
    snapshots$.pipe(engineLoads()).subscribe((load) => loads.push(load));
    const predicted = {
      ...scrapedEndpoint('18', 0),
      data: { predictiveLoadMetrics: { kvActiveBlocks: 7 } },
    };
    snapshots$.next(
      ProcessedEndpoints.of([scrapedEndpoint('16', 2n ** 63n, 3), predicted, scrapedEndpoint('9', 0)]),
    );
    const none = { activePrefillTokens: null, kvUsedBlocks: null };
    expect(loads).toEqual([
      { workerId: '9', dpRank: 0, activeDecodeBlocks: 0, ...none },
      { workerId: '16', dpRank: 3, activeDecodeBlocks: 2n ** 63n, ...none },
    ]);
  });

  it('each rank of a worker gives one load', () => {
    const loads: unknown[] = [];
    const snapshot = ProcessedEndpoints.of([
      scrapedEndpoint('16', 90, 10),
      scrapedEndpoint('9', 5),
      scrapedEndpoint('16', 20, 2),
    ]);
    of(snapshot)
      .pipe(engineLoads())
      .subscribe(({ workerId: id, dpRank, activeDecodeBlocks }) =>
        loads.push([id, dpRank, activeDecodeBlocks]),
      );
    expect(loads).toEqual([
      ['9', 0, 5],
      ['16', 2, 20],
      ['16', 10, 90],
    ]);
  });

  it('property - the ranks of the loads are those of the scrape', () => {
    const entry = fc.record({ id: fc.nat(5), rank: fc.option(fc.nat(5)), blocks: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const replies = entries.map(({ id, rank, blocks }) =>
          decodeServiceStats(statsReply(String(id), metricsOf(blocks, rank))),
        );
        const reading = {
          service: 'dynamo_backend',
          endpoint: 'load_metrics',
          policy: aggregatorPolicies.default,
        };
        const { endpoints, problems } = readScrape(replies, reading);
        const loads = new Map<string, unknown>();
        of(ProcessedEndpoints.of(endpoints))
          .pipe(engineLoads())
          .subscribe((load) => {
            const key = `${load.workerId}/${load.dpRank}`;
            expect(loads.has(key)).toBe(false);
            loads.set(key, load.activeDecodeBlocks);
          });
        const last = new Map(entries.map(({ id, rank, blocks }) => [`${id}/${rank ?? 0}`, blocks]));
        expect(loads).toEqual(last);
        const repeated = problems.reduce((sum, { count }) => sum + count, 0);
        expect(repeated).toBe(entries.length - last.size);
      }),
    );
  });
});
