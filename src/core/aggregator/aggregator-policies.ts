import type { AggregatorPolicy } from './aggregator-policy.js';

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
    backOff: 'when-nobody-answers',
    wire: { metricsForms: ['nested', 'flat'], counters: 'optional' },
  },
} as const satisfies Readonly<Record<string, AggregatorPolicy>>;
