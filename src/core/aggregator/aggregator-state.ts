import { errorText } from '../../operators/error-text.js';
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

/** What is known after a round, and what that round brought. */
export interface AggregatorState {
  readonly endpoints: ProcessedEndpoints;
  readonly status: SourceStatus;
  /** What was wrong in the last round. */
  readonly problems: readonly Problem[];
  /** How many complete scrapes in a row did without each worker that is missed. */
  readonly misses: ReadonlyMap<WorkerId, number>;
  /** How many rounds in a row nobody answered, or the scrape failed. */
  readonly quiet: number;
  /** Whether there ever was a worker. */
  readonly found: boolean;
}

/** What is known before the first scrape. */
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

/** How long the next scrape waits. */
export function waitOf({ quiet }: AggregatorState, settings: AggregatorSettings): number {
  const { policy, waitMs, longestWaitMs } = settings;
  return policy.backOff === 'none' ? waitMs : Math.min(longestWaitMs, waitMs * 2 ** quiet);
}

/** The workers that a complete scrape did without: who stays nevertheless, how often they were missed, what is said. */
export interface MissedWorkers extends Pick<AggregatorState, 'misses' | 'problems'> {
  readonly kept: readonly Endpoint[];
}

/**
 * Who was there before, and is not among those that a complete scrape found. Each is told when it is missed for the
 * first time, and all in one when nobody answered at all.
 */
export function missedWorkers(
  { endpoints, misses }: AggregatorState,
  present: readonly Endpoint[],
  replies: number,
  { missesUntilGone }: AggregatorPolicy,
): MissedWorkers {
  const here = new Set(present.map(({ workerId }) => workerId));
  const missed = [...endpoints.endpoints.values()]
    .filter(({ workerId }) => !here.has(workerId))
    .map((endpoint) => ({ endpoint, times: (misses.get(endpoint.workerId) ?? 0) + 1 }));
  const kept = missed.filter(({ times }) => times < missesUntilGone);
  const newlyMissed = missed.filter(({ times }) => times === 1);
  const left = missesUntilGone - 1;
  const isSilent = replies === 0 && newlyMissed.length > 0;
  return {
    kept: kept.map(({ endpoint }) => endpoint),
    misses: new Map(kept.map(({ endpoint, times }) => [endpoint.workerId, times])),
    problems: isSilent
      ? [scrapeProblems.noReplies(newlyMissed.length, left)]
      : newlyMissed.map(({ endpoint }) => scrapeProblems.missed(endpoint.workerId, left)),
  };
}

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
    ? afterFailure(state, errorText(outcome.error), settings, now)
    : afterReplies(state, outcome.replies, settings, now);
}

function afterFailure(
  state: AggregatorState,
  text: string,
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  const failed = { ...state, problems: [scrapeProblems.failed(text)], quiet: state.quiet + 1 };
  const next = { state: 'down', why: text, retryInMs: waitOf(failed, settings) } as const;
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
  const isThere = endpoints.endpoints.size > 0;
  const [next, why]: [SourceState, string] = isThere
    ? ['live', 'found']
    : state.found
      ? ['stale', 'nobody is there any more as']
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
    found: state.found || isThere,
  };
}
