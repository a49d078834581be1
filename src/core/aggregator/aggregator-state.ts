import { errorText } from '../../operators/error-text.js';
import { packageErrorCode } from '../errors.js';
import type { Problem } from '../sources/problem.js';
import { type SourceState, type SourceStatus, nextStatus } from '../sources/source-status.js';
import type { AggregatorSettings } from './aggregator-options.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import type { Endpoint } from './load-metrics.js';
import { ProcessedEndpoints } from './processed-endpoints.js';
import { readScrape } from './read-scrape.js';
import { scrapeProblems } from './scrape-problems.js';
import type { ScrapeOutcome } from './scrape-outcomes.js';
import type { ScrapedReply } from './scrape.js';
import { lastEntries } from './scraped-entries.js';

/** The state after a round, and the problems of the round. */
export interface AggregatorState {
  readonly endpoints: ProcessedEndpoints;
  readonly status: SourceStatus;
  /** The problems of the last round. */
  readonly problems: readonly Problem[];
  /** The number of complete scrapes in a row without each missed entry, by its key. */
  readonly misses: ReadonlyMap<string, number>;
  /** Whether any worker was ever found. */
  readonly found: boolean;
}

/** The state before the first scrape. */
export function waitingState({ service, endpoint }: AggregatorSettings, now: number): AggregatorState {
  const why = `waiting for ${service}.${endpoint}`;
  return {
    endpoints: ProcessedEndpoints.none,
    status: { source: 'scrape', state: 'connecting', since: now, why },
    problems: [],
    misses: new Map(),
    found: false,
  };
}

/** What a complete scrape missed: the entries that are kept, how often they were missed, and the problems. */
interface MissedEntries extends Pick<AggregatorState, 'misses' | 'problems'> {
  readonly kept: readonly Endpoint[];
}

/**
 * The entries that were there before and that a complete scrape did not find. Each missed worker is reported when it is
 * missed for the first time; without any replies, one problem reports them all. A rank that is missing from the reply of
 * its worker is not reported, since engines whose ranks share one slot report one of them at a time.
 */
function missedEntries(
  { endpoints, misses }: AggregatorState,
  present: readonly Endpoint[],
  replies: number,
  { entries, missesUntilGone }: AggregatorPolicy,
): MissedEntries {
  const found = lastEntries(present, entries);
  const missed = [...lastEntries(endpoints.endpoints, entries)]
    .filter(([key]) => !found.has(key))
    .map(([key, endpoint]) => ({ key, endpoint, times: (misses.get(key) ?? 0) + 1 }));
  const kept = missed.filter(({ times }) => times < missesUntilGone);
  const answered = new Set(present.map(({ workerId }) => workerId));
  const newlyMissed = missed
    .filter(({ times, endpoint }) => times === 1 && !answered.has(endpoint.workerId))
    .map(({ endpoint }) => endpoint.workerId);
  const workers = [...new Set(newlyMissed)];
  const scrapesLeft = missesUntilGone - 1;
  const isSilent = replies === 0 && workers.length > 0;
  return {
    kept: kept.map(({ endpoint }) => endpoint),
    misses: new Map(kept.map(({ key, times }) => [key, times])),
    problems: isSilent
      ? [scrapeProblems.noReplies(workers.length, scrapesLeft)]
      : workers.map((workerId) => scrapeProblems.missed(workerId, scrapesLeft)),
  };
}

/** The state after a scrape. */
export function afterScrape(
  state: AggregatorState,
  outcome: ScrapeOutcome,
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  return 'error' in outcome
    ? afterFailure(state, outcome.error, outcome.nextWaitMs, now)
    : afterReplies(state, outcome.replies, settings, now);
}

function afterFailure(
  state: AggregatorState,
  error: unknown,
  retryInMs: number,
  now: number,
): AggregatorState {
  const why = errorText(error);
  const next = { state: 'down', why, code: packageErrorCode(error), retryInMs } as const;
  return {
    ...state,
    status: { source: 'scrape', ...nextStatus(state.status, next, now) },
    problems: [scrapeProblems.failed(why, error)],
  };
}

function afterReplies(
  state: AggregatorState,
  replies: readonly ScrapedReply[],
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  const { policy, service, endpoint } = settings;
  const read = readScrape(replies, settings);
  const { kept, misses, problems } = missedEntries(state, read.endpoints, replies.length, policy);
  const endpoints = ProcessedEndpoints.of([...read.endpoints, ...kept], policy.entries);
  const hasWorkers = endpoints.endpoints.length > 0;
  const [next, why]: [SourceState, string] = hasWorkers
    ? ['live', 'found']
    : state.found
      ? ['stale', 'there are no more workers at']
      : ['connecting', 'waiting for'];
  return {
    endpoints,
    status: {
      source: 'scrape',
      ...nextStatus(state.status, { state: next, why: `${why} ${service}.${endpoint}` }, now),
    },
    problems: [...read.problems, ...problems],
    misses,
    found: state.found || hasWorkers,
  };
}
