import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import type { Endpoint } from '../../../src/core/aggregator/load-metrics.js';
import { ProcessedEndpoints } from '../../../src/core/aggregator/processed-endpoints.js';
import { rankOf } from '../../../src/core/aggregator/scraped-entries.js';
import { metricsOf, scrapedEndpoint } from '../../support/scraped.js';

const of = (...loads: number[]): ProcessedEndpoints =>
  ProcessedEndpoints.of(loads.map((load, at) => scrapedEndpoint(String(at), load)));

const { compat, default: ours } = aggregatorPolicies;

const endpoints = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.nat(100_000), fc.option(fc.nat(3)))
    .map(([id, load, rank]) => scrapedEndpoint(String(id), load, rank)),
  { maxLength: 30 },
);

describe('ProcessedEndpoints', () => {
  it.each([
    [[10, 20, 30], 20, 8.16496580927726],
    [[5], 5, 0],
    [[], NaN, NaN],
    [[0, 0], 0, 0],
    [[2, 4, 4, 4, 5, 5, 7, 9], 5, 2],
  ])('%j - average %d, deviation %d', (loads, avg, std) => {
    expect(of(...loads)).toMatchObject({ loadAvg: avg, loadStd: std });
  });

  it('the initial value has no workers, and 0 instead of NaN', () => {
    expect(ProcessedEndpoints.none).toMatchObject({ loadAvg: 0, loadStd: 0 });
    expect(ProcessedEndpoints.none.equals(of())).toBe(false);
  });

  it('empty values are equal, and any difference counts', () => {
    expect(of().equals(of())).toBe(true);
    expect(of(1, 2).equals(of(1, 2))).toBe(true);
    expect(of(1, 3).equals(of(2, 2))).toBe(false);
    const [one, other] = [scrapedEndpoint('1', 5), scrapedEndpoint('1', 5, 0)];
    expect(ProcessedEndpoints.of([one]).equals(ProcessedEndpoints.of([other]))).toBe(false);
    expect(ProcessedEndpoints.of([one]).equals(ProcessedEndpoints.of([scrapedEndpoint('2', 5)]))).toBe(false);
  });

  it('ids are in numeric order, counts keep their digits', () => {
    const wide = 18446744073709551615n;
    const snapshot = ProcessedEndpoints.of([
      scrapedEndpoint('10', 1),
      scrapedEndpoint('9', wide),
      scrapedEndpoint('2', 3),
    ]);
    expect([...snapshot.activeBlocks()]).toEqual([
      ['2', 3],
      ['9', wide],
      ['10', 1],
    ]);
    expect(snapshot.workerIds()).toEqual(['2', '9', '10']);
  });

  it('duplicates - the last is used; all count, or one', () => {
    const twice = [scrapedEndpoint('16', 10), scrapedEndpoint('16', 50)];
    expect(ProcessedEndpoints.of(twice, compat.entries)).toMatchObject({ loadAvg: 30, loadStd: 20 });
    expect(ProcessedEndpoints.of(twice, ours.entries)).toMatchObject({ loadAvg: 50, loadStd: 0 });
    for (const { entries } of [compat, ours])
      expect(ProcessedEndpoints.of(twice, entries).endpoints).toEqual([scrapedEndpoint('16', 50)]);
  });

  it('ranks are kept apart, and each counts once', () => {
    const list = [
      scrapedEndpoint('16', 99, 1),
      scrapedEndpoint('9', 20),
      scrapedEndpoint('16', 10, 10),
      scrapedEndpoint('16', 30, 1),
    ];
    const snapshot = ProcessedEndpoints.of(list, ours.entries);
    expect(snapshot.endpoints).toEqual([list[1], list[3], list[2]]);
    expect(snapshot).toMatchObject({ loadAvg: 20, loadStd: Math.sqrt(200 / 3) });
    expect(snapshot.workerIds()).toEqual(['9', '16']);
  });

  it('the original has one entry for a worker with ranks, the last one', () => {
    const list = [scrapedEndpoint('16', 10, 1), scrapedEndpoint('16', 30, 0)];
    const snapshot = ProcessedEndpoints.of(list, compat.entries);
    expect(snapshot.endpoints).toEqual([list[1]]);
    expect(snapshot).toMatchObject({ loadAvg: 20, loadStd: 10 });
  });

  it('a worker without ranks has rank 0', () => {
    const list = [scrapedEndpoint('16', 10, 0), scrapedEndpoint('16', 30, null)];
    expect(ProcessedEndpoints.of(list).endpoints).toEqual([list[1]]);
  });

  it('the active blocks of a worker are the sum of its ranks, with all digits', () => {
    const wide = ProcessedEndpoints.of([scrapedEndpoint('16', 2n ** 63n, 0), scrapedEndpoint('16', 7, 1)]);
    expect([...wide.activeBlocks()]).toEqual([['16', 2n ** 63n + 7n]]);
    const narrow = ProcessedEndpoints.of([scrapedEndpoint('16', 10, 0), scrapedEndpoint('16', 30, 1)]);
    expect([...narrow.activeBlocks()]).toEqual([['16', 40]]);
  });

  it('JSON has every entry, wide counts as text, and null for NaN', () => {
    const json = (snapshot: ProcessedEndpoints): unknown => JSON.parse(JSON.stringify(snapshot));
    const { name, subject, data } = scrapedEndpoint('16', 0, 1);
    const wide = scrapedEndpoint('16', 18446744073709551615n, 1);
    expect(json(ProcessedEndpoints.of([wide]))).toEqual({
      loadAvg: 2 ** 64,
      loadStd: 0,
      endpoints: [
        {
          name,
          subject,
          workerId: '16',
          data: {
            engineLoadMetrics: {
              ...('engineLoadMetrics' in data && data.engineLoadMetrics),
              kvStats: { ...metricsOf(0).kvStats, kvActiveBlocks: '18446744073709551615' },
            },
          },
        },
      ],
    });
    expect(json(of())).toEqual({ loadAvg: null, loadStd: null, endpoints: [] });
  });

  it('property - the average lies between the extremes, the deviation is at most half their distance', () => {
    fc.assert(
      fc.property(endpoints, fc.constantFrom(compat.entries, ours.entries), (list, entries) => {
        const { loadAvg, loadStd, endpoints: used } = ProcessedEndpoints.of(list, entries);
        if (list.length === 0) return Number.isNaN(loadAvg) && Number.isNaN(loadStd);
        const loads = (entries === 'last-of-worker' ? list : used).map(loadOf);
        const [least, most] = [Math.min(...loads), Math.max(...loads)];
        const slack = 1e-9 * (1 + most);
        return (
          loadAvg >= least - slack &&
          loadAvg <= most + slack &&
          loadStd >= 0 &&
          loadStd <= (most - least) / 2 + slack
        );
      }),
    );
  });

  it('property - as in the textbook: the mean square minus the squared mean', () => {
    fc.assert(
      fc.property(endpoints, (list) => {
        fc.pre(list.length > 0);
        const { loadAvg, loadStd } = ProcessedEndpoints.of(list, compat.entries);
        const loads = list.map((endpoint) => BigInt(loadOf(endpoint)));
        const n = BigInt(loads.length);
        const sum = loads.reduce((a, b) => a + b, 0n);
        const squares = loads.reduce((a, b) => a + b * b, 0n);
        expect(loadAvg).toBeCloseTo(Number(sum) / Number(n), 6);
        expect(loadStd ** 2).toBeCloseTo(Number(squares * n - sum * sum) / Number(n * n), 2);
      }),
    );
  });

  it('property - the ranks of the endpoints are those of the scrape, each once', () => {
    fc.assert(
      fc.property(endpoints, (list) => {
        const ranks = (of: readonly Endpoint[]): string[] =>
          of.map((one) => `${one.workerId}/${rankOf(one)}`);
        const used = ranks(ProcessedEndpoints.of(list).endpoints);
        expect(new Set(used)).toEqual(new Set(ranks(list)));
        expect(used).toHaveLength(new Set(used).size);
      }),
    );
  });

  it('property - the order of distinct entries makes no difference', () => {
    const key = ([id, rank]: readonly [number, number]): string => `${id}/${rank}`;
    const keys = fc.uniqueArray(fc.tuple(fc.nat(20), fc.nat(3)), { maxLength: 20, selector: key });
    fc.assert(
      fc.property(keys, (entries) => {
        const list = entries.map(([id, rank]) => scrapedEndpoint(String(id), id * 7 + rank, rank));
        const snapshot = ProcessedEndpoints.of(list);
        const reversed = ProcessedEndpoints.of([...list].reverse());
        expect(reversed).toEqual(snapshot);
        expect(reversed.equals(snapshot)).toBe(true);
      }),
    );
  });
});

function loadOf({ data }: Endpoint): number {
  return 'engineLoadMetrics' in data ? Number(data.engineLoadMetrics.kvStats.kvActiveBlocks) : 0;
}
