import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { TidemarkError } from '../errors.js';
import { aScheduler, givenOptions, shownValue } from '../option-problems.js';
import { aggregatorPolicies } from './aggregator-policy.js';
import type { ScrapeReading } from './read-scrape.js';
import type { ReplyDecoder } from './scrape.js';

/** What an aggregator scrapes, by which rules, and how often. */
export interface MetricsAggregatorOptions extends Omit<ScrapeReading, 'policy'> {
  /** The decoder of replies: `decodeServiceStats` of `tidemark/wire`. */
  readonly decode: ReplyDecoder;
  /** `aggregatorPolicies.default` when absent. */
  readonly policy?: ScrapeReading['policy'];
  /** Milliseconds from the end of a scrape to the start of the next one, above 0; 100 when absent. */
  readonly waitMs?: number;
  /** The longest wait while no replies are received, if the policy backs off; at least `waitMs`, 2000 when absent. */
  readonly longestWaitMs?: number;
  /** The time in milliseconds after which a scrape that has not ended counts as failed, above 0; 5000 when absent. */
  readonly maxScrapeMs?: number;
  /** The clock; `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** The options with all defaults filled in. */
export type AggregatorSettings = Required<MetricsAggregatorOptions>;

/** Invalid options. `problems` lists everything that is wrong with them. */
export class AggregatorOptionsError extends TidemarkError {
  override readonly name = 'AggregatorOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('aggregator-options', `${problems.join('; ')}.`);
  }
}

/** A longer timer would fire at once. */
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
    ...givenOptions(options),
  };
  const { service, endpoint, policy, longestWaitMs, maxScrapeMs } = settings;
  const problems = [
    !isName(service) && `service must be the name of a service, not ${shownValue(service)}`,
    !isName(endpoint) && `endpoint must be the name of an endpoint, not ${shownValue(endpoint)}`,
    typeof settings.decode !== 'function' &&
      `decode must be a function such as decodeServiceStats, not ${shownValue(settings.decode)}`,
    !aScheduler.is(settings.scheduler) && `scheduler must be ${aScheduler.what}`,
    !isTime(waitMs) && 'waitMs must be above 0 and at most 2147483647',
    !(isTime(longestWaitMs) && longestWaitMs >= waitMs) &&
      'longestWaitMs must be at least waitMs and at most 2147483647',
    !isTime(maxScrapeMs) && 'maxScrapeMs must be above 0 and at most 2147483647',
    !(
      Number.isInteger((policy as Partial<typeof policy> | null)?.missesUntilGone) &&
      policy.missesUntilGone >= 1
    ) && 'missesUntilGone of the policy must be a whole number, at least 1',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw new AggregatorOptionsError(problems);
  return settings;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTime(ms: unknown): boolean {
  return typeof ms === 'number' && ms > 0 && ms <= MAX_TIMER_MS;
}
