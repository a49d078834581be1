import { errorText } from '../../operators/error-text.js';
import { packageErrorCode } from '../errors.js';
import type { Problem } from '../sources/problem.js';
import { type SourceState, type SourceStatus, nextStatus } from '../sources/source-status.js';
import type { WorkerId } from '../worker-id.js';
import type { AggregatorSettings } from './aggregator-options.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import type { Endpoint } from './load-metrics.js';
import { ProcessedEndpoints } from './processed-endpoints.js';
import { readScrape } from './read-scrape.js';
import { scrapeProblems } from './scrape-problems.js';
import type { ScrapedReply } from './scrape.js';

/** The state after a round, and the problems of the round. */
export interface AggregatorState {
  readonly endpoints: ProcessedEndpoints;
  readonly status: SourceStatus;
  /** The problems of the last round. */
  readonly problems: readonly Problem[];
  /** The number of complete scrapes in a row without each missed worker. */
  readonly misses: ReadonlyMap<WorkerId, number>;
  /** The number of rounds in a row without replies, or with a failed scrape. */
  readonly quiet: number;
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
    quiet: 0,
    found: false,
  };
}

/** The wait before the next scrape, in milliseconds. */
export function waitOf({ quiet }: AggregatorState, settings: AggregatorSettings): number {
  const { policy, waitMs, longestWaitMs } = settings;
  return policy.backOff === 'none' ? waitMs : Math.min(longestWaitMs, waitMs * 2 ** quiet);
}

/** The workers that a complete scrape missed: the ones that are kept, how often they were missed, and the problems. */
export interface MissedWorkers extends Pick<AggregatorState, 'misses' | 'problems'> {
  readonly kept: readonly Endpoint[];
}

/**
 * The workers that were there before and that a complete scrape did not find. Each is reported when it is missed for the
 * first time; without any replies, one problem reports them all.
 */
function missedWorkers(
  { endpoints, misses }: AggregatorState,
  present: readonly Endpoint[],
  replies: number,
  { missesUntilGone }: AggregatorPolicy,
): MissedWorkers {
  const found = new Set(present.map(({ workerId }) => workerId));
  const missed = [...endpoints.endpoints.values()]
    .filter(({ workerId }) => !found.has(workerId))
    .map((endpoint) => ({ endpoint, times: (misses.get(endpoint.workerId) ?? 0) + 1 }));
  const kept = missed.filter(({ times }) => times < missesUntilGone);
  const newlyMissed = missed.filter(({ times }) => times === 1);
  const scrapesLeft = missesUntilGone - 1;
  const isSilent = replies === 0 && newlyMissed.length > 0;
  return {
    kept: kept.map(({ endpoint }) => endpoint),
    misses: new Map(kept.map(({ endpoint, times }) => [endpoint.workerId, times])),
    problems: isSilent
      ? [scrapeProblems.noReplies(newlyMissed.length, scrapesLeft)]
      : newlyMissed.map(({ endpoint }) => scrapeProblems.missed(endpoint.workerId, scrapesLeft)),
  };
}

/** The outcome of a scrape: all its replies, or an error. */
export type ScrapeOutcome = { readonly replies: readonly ScrapedReply[] } | { readonly error: unknown };

/** The state after a scrape. */
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
  const next = { state: 'down', why: text, code, retryInMs: waitOf(failed, settings) } as const;
  return { ...failed, status: { source: 'scrape', ...nextStatus(state.status, next, now) } };
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
  const hasWorkers = endpoints.endpoints.size > 0;
  const [next, why]: [SourceState, string] = hasWorkers
    ? ['live', 'found']
    : state.found
      ? ['stale', 'there are no more workers at']
      : ['connecting', 'waiting for'];
  return {
    endpoints: endpoints.equals(state.endpoints) ? state.endpoints : endpoints,
    status: {
      source: 'scrape',
      ...nextStatus(state.status, { state: next, why: `${why} ${service}.${endpoint}` }, now),
    },
    problems: [...read.problems, ...problems],
    misses,
    quiet: replies.length > 0 ? 0 : state.quiet + 1,
    found: state.found || hasWorkers,
  };
}
