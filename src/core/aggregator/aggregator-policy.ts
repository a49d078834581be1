/** Of a STATS reply, what is read. */
export interface StatsWirePolicy {
  /**
   * The forms of `ForwardPassMetrics` that are read: `nested` since 0.3.2, `flat` before. Both are told apart by their
   * names.
   */
  readonly metricsForms: readonly ('nested' | 'flat')[];
  /**
   * Whether an endpoint is read that lacks one of the counters every NATS micro service has, or has it in another type.
   * The original does not see such an endpoint; services of other languages leave out `last_error` where there was none.
   */
  readonly counters: 'required' | 'optional';
}

/**
 * The rules of aggregation as plain data.
 *
 * A policy of your own is a row of {@link aggregatorPolicies} with some cells changed.
 */
export interface AggregatorPolicy {
  readonly name: string;
  /** Of several entries of one worker in one scrape: all count in average and deviation, or the last one does. */
  readonly duplicates: 'each-counts' | 'last-counts';
  /** Whether a subject need only begin with `service.endpoint`, or must go on with an id, or with nothing, after it. */
  readonly subject: 'prefix' | 'exact';
  /** A worker is dropped after so many complete scrapes in a row without it, at least 1. */
  readonly missesUntilGone: number;
  /**
   * Which ids a subject may end with: 63 bits, or 64. A subject without an id is that of a static worker; it is worker
   * 0, as in its other messages, or malformed.
   */
  readonly workerIds: { readonly bits: 63 | 64; readonly withoutId: 'malformed' | 'worker-0' };
  /** Whether the wait between scrapes grows while nobody answers or scrapes fail. */
  readonly backOff: 'none' | 'when-no-replies';
  readonly wire: StatsWirePolicy;
}

/**
 * The rows of {@link AggregatorPolicy}: `compat` is the aggregator of Dynamo 0.3.2 to 0.6, `default` ours, without what
 * it gets wrong: an endpoint whose name only begins alike does not count, a worker counts once, one scrape that missed
 * it does not drop it, and a service that leaves out a counter is heard.
 *
 * In every row an id that cannot be read is reported and the others go on (the original stops altogether), and "no
 * endpoints" is said once (the original says it again every round).
 *
 * @example
 * ```ts
 * import { aggregatorPolicies, type AggregatorPolicy } from 'tidemark';
 *
 * const patient: AggregatorPolicy = { ...aggregatorPolicies.default, name: 'patient', missesUntilGone: 10 };
 * console.log(patient.missesUntilGone, aggregatorPolicies.compat.missesUntilGone);
 * // Logs: 10 1
 * ```
 */
export const aggregatorPolicies = {
  compat: {
    name: 'compat',
    duplicates: 'each-counts',
    subject: 'prefix',
    missesUntilGone: 1,
    workerIds: { bits: 63, withoutId: 'malformed' },
    backOff: 'none',
    wire: { metricsForms: ['nested'], counters: 'required' },
  },
  default: {
    name: 'default',
    duplicates: 'last-counts',
    subject: 'exact',
    missesUntilGone: 3,
    workerIds: { bits: 64, withoutId: 'worker-0' },
    backOff: 'when-no-replies',
    wire: { metricsForms: ['nested', 'flat'], counters: 'optional' },
  },
} as const satisfies Readonly<Record<string, AggregatorPolicy>>;
