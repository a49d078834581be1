import type { Count } from '../count.js';
import { jsonReady } from '../ordinary-value.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import { type Endpoint, kvActiveBlocks } from './load-metrics.js';

/** Whether two values of plain data are equal: lists and records by their contents, and NaN equals NaN. */
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
 * The result of a scrape: the endpoints by worker, and the average and deviation of their active blocks (Dynamo's
 * `ProcessedEndpoints`).
 *
 * 1. The deviation is the population standard deviation.
 * 2. Without endpoints, average and deviation are NaN, except in {@link ProcessedEndpoints.none}, the value before the
 *    first scrape: both are 0 there, as in the original.
 * 3. If a worker has several entries, the map has the last one. The policy decides whether all of them count in average
 *    and deviation.
 * 4. Sums are computed in binary64, in the order of the list, as in the original.
 * 5. As JSON, `endpoints` is an object by worker id, a number above 2^53 − 1 is text, and NaN is `"NaN"`.
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
  /** The value before the first scrape: no workers, average and deviation 0. */
  static readonly none = new ProcessedEndpoints(new Map(), 0, 0);

  private constructor(
    readonly endpoints: ReadonlyMap<WorkerId, Endpoint>,
    readonly loadAvg: number,
    readonly loadStd: number,
  ) {
    jsonReady(endpoints);
    jsonReady(this, [loadAvg, loadStd]);
  }

  /** The statistics of a list of endpoints, in the order in which they were received. */
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

  /** The ids of the workers, in ascending order. */
  workerIds(): readonly WorkerId[] {
    return [...this.endpoints.keys()].sort(compareWorkerIds);
  }

  /** The active blocks of every worker. */
  activeBlocks(): ReadonlyMap<WorkerId, Count> {
    return jsonReady(new Map(this.workerIds().map((id) => [id, blocksOf(this.endpoints.get(id))])));
  }

  /** Whether both have the same contents. NaN equals NaN here, unlike in the original. */
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
