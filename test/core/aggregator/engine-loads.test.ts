import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { engineLoads } from '../../../src/core/aggregator/engine-loads.js';
import { ProcessedEndpoints } from '../../../src/core/aggregator/processed-endpoints.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { workerId } from '../../../src/core/worker-id.js';
import { scrapedEndpoint } from '../../support/scraped.js';

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
});
