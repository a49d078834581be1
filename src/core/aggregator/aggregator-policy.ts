/** The STATS replies that are read. */
export interface StatsWirePolicy {
  /**
   * The forms of `ForwardPassMetrics` that are read: `nested` since 0.3.2, `flat` before. They are distinguished by their
   * field names.
   */
  readonly metricsForms: readonly ('nested' | 'flat')[];
  /**
   * Whether an endpoint must have all counters of a NATS micro service, in the right types, to be read. The original
   * ignores an endpoint without them. Services in other languages omit `last_error` when there was no error.
   */
  readonly counters: 'required' | 'optional';
}

/**
 * The rules of aggregation as plain data.
 *
 * To make your own policy, take a row of {@link aggregatorPolicies} and change some cells.
 */
export interface AggregatorPolicy {
  readonly name: string;
  /**
   * Which entries are used when a worker has several in one scrape. `last-of-worker`: the last one, although all of them
   * count in average and deviation, as in the original. `last-of-rank`: the last one of each data-parallel rank, and only
   * these count.
   */
  readonly entries: 'last-of-worker' | 'last-of-rank';
  /** Whether a subject only has to start with `service.endpoint`, or must also continue with an id or end there. */
  readonly subject: 'prefix' | 'exact';
  /** The number of complete scrapes in a row without a worker after which it is removed, at least 1. */
  readonly missesUntilGone: number;
  /**
   * The ids that a subject may end with: up to 63 or 64 bits. A subject without an id is that of a static worker: it is
   * worker 0, as in the worker's other messages, or malformed.
   */
  readonly workerIds: { readonly bits: 63 | 64; readonly withoutId: 'malformed' | 'worker-0' };
  /** Whether the wait between scrapes grows while no replies are received or scrapes fail. */
  readonly backOff: 'none' | 'when-no-replies';
  readonly wire: StatsWirePolicy;
}

/**
 * The table of aggregator policies.
 *
 * 1. `compat` is the aggregator of Dynamo 0.3.2 to 0.6.
 * 2. `default` is tidemark's own policy, which corrects the following: an endpoint whose name only starts with the wanted
 *    name does not count, the ranks of a worker are kept apart and each counts once, one missed scrape does not remove a
 *    worker, and a service that omits a counter is read.
 * 3. In both rows an id that cannot be read is a problem, and the other entries still count (the original stops). An empty
 *    result is reported once (the original reports it every round).
 *
 * @example
 * ```ts
 * import { aggregatorPolicies, type AggregatorPolicy } from 'tidemark/aggregator';
 *
 * const patient: AggregatorPolicy = { ...aggregatorPolicies.default, name: 'patient', missesUntilGone: 10 };
 * console.log(patient.missesUntilGone, aggregatorPolicies.compat.missesUntilGone);
 * // Logs: 10 1
 * ```
 */
export const aggregatorPolicies = {
  compat: {
    name: 'compat',
    entries: 'last-of-worker',
    subject: 'prefix',
    missesUntilGone: 1,
    workerIds: { bits: 63, withoutId: 'malformed' },
    backOff: 'none',
    wire: { metricsForms: ['nested'], counters: 'required' },
  },
  default: {
    name: 'default',
    entries: 'last-of-rank',
    subject: 'exact',
    missesUntilGone: 3,
    workerIds: { bits: 64, withoutId: 'worker-0' },
    backOff: 'when-no-replies',
    wire: { metricsForms: ['nested', 'flat'], counters: 'optional' },
  },
} as const satisfies Readonly<Record<string, AggregatorPolicy>>;
