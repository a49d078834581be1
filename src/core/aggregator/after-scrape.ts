import { packageErrorCode } from '../package-error.js';
import { errorText } from '../../operators/error-text.js';
import type { SourceState, SourceStatus } from '../source-status.js';
import type { AggregatorSettings } from './aggregator-options.js';
import { waitOf, type AggregatorState } from './aggregator-state.js';
import { missedWorkers } from './missed-workers.js';
import { ProcessedEndpoints } from './processed-endpoints.js';
import { readScrape } from './read-scrape.js';
import { scrapeProblems } from './scrape-problems.js';
import type { ScrapedReply } from './scraped-reply.js';

/** How a scrape ended: with all replies, or not. */
export type ScrapeOutcome = { readonly replies: readonly ScrapedReply[] } | { readonly error: unknown };

/** What is known after a scrape that ended so. */
export function afterScrape(
  state: AggregatorState,
  outcome: ScrapeOutcome,
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  return 'error' in outcome
    ? afterFailure(state, outcome.error, settings, now)
    : afterReplies(state, outcome.replies, settings, now);
}

function afterFailure(
  state: AggregatorState,
  error: unknown,
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  const text = errorText(error);
  const failed = { ...state, problems: [scrapeProblems.failed(text, error)], quiet: state.quiet + 1 };
  const code = packageErrorCode(error);
  const status = {
    ...statusOf(state, 'down', text, now),
    ...(code && { code }),
    retryInMs: waitOf(failed, settings),
  };
  return { ...failed, status };
}

function afterReplies(
  state: AggregatorState,
  replies: readonly ScrapedReply[],
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  const { policy, service, endpoint } = settings;
  const read = readScrape(replies, settings);
  const { kept, misses, problems } = missedWorkers(state, read.endpoints, replies.length, policy);
  const endpoints = ProcessedEndpoints.of([...read.endpoints, ...kept], policy.duplicates);
  const isThere = endpoints.endpoints.size > 0;
  const [kind, why]: [SourceState, string] = isThere
    ? ['live', 'found']
    : state.found
      ? ['stale', 'nobody is there any more as']
      : ['connecting', 'waiting for'];
  return {
    endpoints: endpoints.equals(state.endpoints) ? state.endpoints : endpoints,
    status: statusOf(state, kind, `${why} ${service}.${endpoint}`, now),
    problems: [...read.problems, ...problems],
    misses,
    quiet: replies.length > 0 ? 0 : state.quiet + 1,
    found: state.found || isThere,
  };
}

/** The status in that state, since when it is. */
function statusOf({ status }: AggregatorState, state: SourceState, why: string, now: number): SourceStatus {
  return { source: 'scrape', state, since: status.state === state ? status.since : now, why };
}
