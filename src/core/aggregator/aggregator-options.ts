import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { TidemarkError } from '../errors.js';
import { aggregatorPolicies } from './aggregator-policy.js';
import type { ScrapeReading } from './read-scrape.js';
import type { ReplyDecoder } from './scrape.js';

/** What an aggregator asks for, by which rules, and how often. */
export interface MetricsAggregatorOptions extends Omit<ScrapeReading, 'policy'> {
  /** What reads a reply: `decodeServiceStats` of `tidemark/wire`. */
  readonly decode: ReplyDecoder;
  /** Absent: `aggregatorPolicies.default`. */
  readonly policy?: ScrapeReading['policy'];
  /** Milliseconds between the end of a scrape and the next one, above 0. Absent: 100. */
  readonly waitMs?: number;
  /** The longest wait while nobody answers, where the policy backs off, at least `waitMs`. Absent: 2000. */
  readonly longestWaitMs?: number;
  /** A scrape that has not ended after so many milliseconds has failed, above 0. Absent: 5000. */
  readonly maxScrapeMs?: number;
  /** Where time comes from; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** The options with everything that may be absent. */
export type AggregatorSettings = Required<MetricsAggregatorOptions>;

/** Options that cannot be followed. `problems` lists everything that is wrong with them. */
export class AggregatorOptionsError extends TidemarkError {
  override readonly name = 'AggregatorOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('aggregator-options', `${problems.join('; ')}.`);
  }
}

/** A timer set for longer goes off at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws AggregatorOptionsError */
export function aggregatorSettings(options: MetricsAggregatorOptions): AggregatorSettings {
  const waitMs = options.waitMs ?? 100;
  const settings: AggregatorSettings = {
    metrics: 'engine',
    policy: aggregatorPolicies.default,
    waitMs,
    longestWaitMs: Math.max(waitMs, 2_000),
    maxScrapeMs: 5_000,
    scheduler: asyncScheduler,
    ...options,
  };
  const { service, endpoint, policy, longestWaitMs, maxScrapeMs } = settings;
  const problems = [
    service === '' && 'the service has an empty name',
    endpoint === '' && 'the endpoint has an empty name',
    !isTime(waitMs) && 'waitMs must be above 0 and at most 2147483647',
    !(isTime(longestWaitMs) && longestWaitMs >= waitMs) &&
      'longestWaitMs must be at least waitMs and at most 2147483647',
    !isTime(maxScrapeMs) && 'maxScrapeMs must be above 0 and at most 2147483647',
    !(Number.isInteger(policy.missesUntilGone) && policy.missesUntilGone >= 1) &&
      'missesUntilGone of the policy must be a whole number, at least 1',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw new AggregatorOptionsError(problems);
  return settings;
}

function isTime(ms: number): boolean {
  return ms > 0 && ms <= MAX_TIMER_MS;
}
