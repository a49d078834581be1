import type { Count } from '../count.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import { type Endpoint, kvActiveBlocks } from './load-metrics.js';

/** Whether two values of plain data are the same: numbers by value, NaN like NaN; lists and records by what is in them. */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'number' && typeof b === 'number') return Number.isNaN(a) && Number.isNaN(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const entries = Object.entries(a);
  return (
    entries.length === Object.keys(b).length &&
    entries.every(([key, value]) => key in b && sameData(value, (b as Record<string, unknown>)[key]))
  );
}

/**
 * What a scrape found: the endpoints by worker, and the average and deviation of their active blocks (Dynamo's
 * `ProcessedEndpoints`).
 *
 * 1. The deviation is that of the population: the root of the mean square difference from the average.
 * 2. Without endpoints both are NaN, but for {@link ProcessedEndpoints.none}, which was there before the first scrape:
 *    both are 0, as the original begins.
 * 3. Of several entries of one worker the last is in the map. Whether all of them count in average and deviation is
 *    the policy's to say.
 * 4. Sums are taken in binary64, in the order of the list, as the original does.
 *
 * @example
 * ```ts
 * import { ProcessedEndpoints, workerId } from 'tidemark';
 *
 * const endpoints = ProcessedEndpoints.of(
 *   [10, 20, 30].map((kvActiveBlocks, at) => ({
 *     name: 'generate',
 *     subject: `dynamo_backend.generate-${at}`,
 *     workerId: workerId(String(at)),
 *     data: { predictiveLoadMetrics: { kvActiveBlocks } },
 *   })),
 * );
 * console.log(endpoints.loadAvg, endpoints.loadStd, endpoints.workerIds());
 * // Logs: 20 8.16496580927726 [ '0', '1', '2' ]
 * ```
 */
export class ProcessedEndpoints {
  /** What is known before the first scrape: nobody, average and deviation 0. */
  static readonly none = new ProcessedEndpoints(new Map(), 0, 0);

  private constructor(
    readonly endpoints: ReadonlyMap<WorkerId, Endpoint>,
    readonly loadAvg: number,
    readonly loadStd: number,
  ) {}

  /** The statistics of a list of endpoints, in the order in which they came. */
  static of(
    list: readonly Endpoint[],
    duplicates: AggregatorPolicy['duplicates'] = 'last-counts',
  ): ProcessedEndpoints {
    const endpoints = new Map(list.map((endpoint) => [endpoint.workerId, endpoint]));
    const counted = duplicates === 'each-counts' ? list : [...endpoints.values()];
    const loads = counted.map(({ data }) => Number(kvActiveBlocks(data)));
    const loadAvg = meanOf(loads);
    const loadStd = Math.sqrt(meanOf(loads.map((load) => (load - loadAvg) * (load - loadAvg))));
    return new ProcessedEndpoints(endpoints, loadAvg, loadStd);
  }

  /** The ids of the workers, by their numbers. */
  workerIds(): readonly WorkerId[] {
    return [...this.endpoints.keys()].sort(compareWorkerIds);
  }

  /** The active blocks of every worker. */
  activeBlocks(): ReadonlyMap<WorkerId, Count> {
    return new Map(this.workerIds().map((id) => [id, blocksOf(this.endpoints.get(id))]));
  }

  /** Whether both say the same. Without endpoints too: the original's NaN differs from itself, ours does not. */
  equals(other: ProcessedEndpoints): boolean {
    return (
      this === other ||
      (sameData(this.loadAvg, other.loadAvg) &&
        sameData(this.loadStd, other.loadStd) &&
        this.endpoints.size === other.endpoints.size &&
        [...this.endpoints].every(([id, endpoint]) => sameData(endpoint, other.endpoints.get(id))))
    );
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function blocksOf(endpoint: Endpoint | undefined): Count {
  return endpoint === undefined ? 0 : kvActiveBlocks(endpoint.data);
}
