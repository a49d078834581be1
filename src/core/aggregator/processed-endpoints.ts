import { type Count, countOf } from '../count.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import { type Endpoint, kvActiveBlocks } from './load-metrics.js';
import { lastEntries, rankOf } from './scraped-entries.js';

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

/** A copy of plain data for `JSON.stringify`, in which every `bigint` is its decimal text. */
function jsonData(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(jsonData);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonData(inner)]));
}

/**
 * The result of a scrape: the endpoints of the workers and their ranks, and the average and deviation of their active
 * blocks (Dynamo's `ProcessedEndpoints`).
 *
 * 1. The deviation is the population standard deviation.
 * 2. Without endpoints, average and deviation are NaN, except in {@link ProcessedEndpoints.none}, the value before the
 *    first scrape: both are 0 there, as in the original.
 * 3. Every data-parallel rank of a worker has its own entry and counts once in average and deviation, because it has its
 *    own KV cache, and a router chooses between ranks. If a rank has several entries, the last one is used. With
 *    `last-of-worker`, as in the original, a worker has only its last entry, although all of them count.
 * 4. Sums are computed in binary64, in the order of `endpoints`; with `last-of-worker` in the order of the list, as in the
 *    original.
 * 5. It is an ordinary value: deep equality compares it, and `JSON.stringify` writes it, with counts above 2^53 − 1 as text.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { ProcessedEndpoints } from 'tidemark/aggregator';
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
  static readonly none = new ProcessedEndpoints(0, 0, []);

  private constructor(
    readonly loadAvg: number,
    readonly loadStd: number,
    /** The entries of all workers and their ranks, in ascending order of ids, then of ranks. */
    readonly endpoints: readonly Endpoint[],
  ) {}

  /** The statistics of a list of endpoints, in the order in which they were received. */
  static of(
    list: readonly Endpoint[],
    entries: AggregatorPolicy['entries'] = 'last-of-rank',
  ): ProcessedEndpoints {
    const endpoints = [...lastEntries(list, entries).values()].sort(compareEntries);
    const counted = entries === 'last-of-worker' ? list : endpoints;
    const loads = counted.map(({ data }) => Number(kvActiveBlocks(data)));
    const loadAvg = meanOf(loads);
    const loadStd = Math.sqrt(meanOf(loads.map((load) => (load - loadAvg) * (load - loadAvg))));
    return new ProcessedEndpoints(loadAvg, loadStd, endpoints);
  }

  /** The ids of the workers, in ascending order. */
  workerIds(): readonly WorkerId[] {
    return [...new Set(this.endpoints.map(({ workerId }) => workerId))];
  }

  /** The active blocks of every worker, summed over its ranks, in ascending order of ids. */
  activeBlocks(): ReadonlyMap<WorkerId, Count> {
    const blocks = new Map<WorkerId, Count>();
    for (const { workerId, data } of this.endpoints) {
      const others = blocks.get(workerId);
      const own = kvActiveBlocks(data);
      blocks.set(workerId, others === undefined ? own : countOf(BigInt(others) + BigInt(own)));
    }
    return blocks;
  }

  /** Whether both have the same contents. NaN equals NaN here, unlike in the original. */
  equals(other: ProcessedEndpoints): boolean {
    return sameData(this, other);
  }

  /** Plain data for `JSON.stringify`. Counts above 2^53 − 1 are decimal strings. NaN becomes `null`, as everywhere in JSON. */
  toJSON(): unknown {
    return jsonData({ ...this });
  }
}

function compareEntries(a: Endpoint, b: Endpoint): number {
  return compareWorkerIds(a.workerId, b.workerId) || rankOf(a) - rankOf(b);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
