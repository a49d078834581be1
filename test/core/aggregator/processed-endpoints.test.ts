import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import type { Endpoint } from '../../../src/core/aggregator/load-metrics.js';
import { ProcessedEndpoints } from '../../../src/core/aggregator/processed-endpoints.js';
import { scrapedEndpoint } from '../../support/scraped.js';

const of = (...loads: number[]): ProcessedEndpoints =>
  ProcessedEndpoints.of(loads.map((load, at) => scrapedEndpoint(String(at), load)));

const endpoints = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.nat(100_000))
    .map(([id, load]) => scrapedEndpoint(String(id), load)),
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

  it('duplicates - the last is in the map; all count, or one', () => {
    const twice = [scrapedEndpoint('16', 10), scrapedEndpoint('16', 50)];
    const { compat, default: ours } = aggregatorPolicies;
    expect(ProcessedEndpoints.of(twice, compat.duplicates)).toMatchObject({ loadAvg: 30, loadStd: 20 });
    expect(ProcessedEndpoints.of(twice, ours.duplicates)).toMatchObject({ loadAvg: 50, loadStd: 0 });
    for (const { duplicates } of [compat, ours])
      expect([...ProcessedEndpoints.of(twice, duplicates).activeBlocks()]).toEqual([['16', 50]]);
  });

  it('property - the average lies between the extremes, the deviation is at most half their distance', () => {
    fc.assert(
      fc.property(endpoints, fc.constantFrom('each-counts', 'last-counts'), (list, duplicates) => {
        const { loadAvg, loadStd, endpoints: map } = ProcessedEndpoints.of(list, duplicates);
        if (list.length === 0) return Number.isNaN(loadAvg) && Number.isNaN(loadStd);
        const counted = duplicates === 'each-counts' ? list : [...map.values()];
        const loads = counted.map(loadOf);
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
        const { loadAvg, loadStd } = ProcessedEndpoints.of(list, 'each-counts');
        const loads = list.map((endpoint) => BigInt(loadOf(endpoint)));
        const n = BigInt(loads.length);
        const sum = loads.reduce((a, b) => a + b, 0n);
        const squares = loads.reduce((a, b) => a + b * b, 0n);
        expect(loadAvg).toBeCloseTo(Number(sum) / Number(n), 6);
        expect(loadStd ** 2).toBeCloseTo(Number(squares * n - sum * sum) / Number(n * n), 2);
      }),
    );
  });

  it('property - the order of distinct workers does not change the set of workers', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000), { maxLength: 20 }), (ids) => {
        const list = ids.map((id) => scrapedEndpoint(String(id), id % 7));
        const reversed = ProcessedEndpoints.of([...list].reverse());
        const snapshot = ProcessedEndpoints.of(list);
        expect(reversed.workerIds()).toEqual(snapshot.workerIds());
        expect(reversed.activeBlocks()).toEqual(snapshot.activeBlocks());
      }),
    );
  });
});

function loadOf({ data }: Endpoint): number {
  return 'engineLoadMetrics' in data ? Number(data.engineLoadMetrics.kvStats.kvActiveBlocks) : 0;
}
