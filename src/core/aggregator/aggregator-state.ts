import { errorText } from '../../operators/error-text.js';
import type { Problem } from '../problem.js';
import type { SourceState, SourceStatus } from '../source-status.js';
import type { WorkerId } from '../worker-id.js';
import type { AggregatorSettings } from './aggregator-options.js';
import type { Endpoint } from './endpoint.js';
import { ProcessedEndpoints } from './processed-endpoints.js';
import { readScrape } from './read-scrape.js';
import { scrapeProblems } from './scrape-problems.js';
import type { ScrapedReply } from './scraped-reply.js';

/** How a scrape ended: with all replies, or not. */
export type ScrapeOutcome = { readonly replies: readonly ScrapedReply[] } | { readonly error: unknown };

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

/** What is known after a scrape that ended so. */
export function nextState(
  state: AggregatorState,
  outcome: ScrapeOutcome,
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  return 'error' in outcome
    ? failedState(state, errorText(outcome.error), settings, now)
    : completeState(state, outcome.replies, settings, now);
}

function failedState(
  state: AggregatorState,
  text: string,
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  const failed = { ...state, problems: [scrapeProblems.failed(text)], quiet: state.quiet + 1 };
  const retry = { why: text, retryInMs: waitOf(failed, settings) };
  return { ...failed, status: { ...statusOf(state, 'down', now), ...retry } };
}

function completeState(
  state: AggregatorState,
  replies: readonly ScrapedReply[],
  settings: AggregatorSettings,
  now: number,
): AggregatorState {
  const { policy, service, endpoint } = settings;
  const read = readScrape(replies, settings);
  const { kept, misses, problems } = missed(
    state,
    read.endpoints,
    replies.length > 0,
    policy.missesUntilGone,
  );
  const endpoints = ProcessedEndpoints.of([...read.endpoints, ...kept], policy.duplicates);
  const found = state.found || endpoints.endpoints.size > 0;
  const next = {
    endpoints: endpoints.equals(state.endpoints) ? state.endpoints : endpoints,
    problems: [...read.problems, ...problems],
    misses,
    quiet: replies.length > 0 ? 0 : state.quiet + 1,
    found,
  };
  if (endpoints.endpoints.size > 0)
    return { ...next, status: { ...statusOf(state, 'live', now), why: `found ${service}.${endpoint}` } };
  return found
    ? { ...next, status: { ...statusOf(state, 'stale', now), why: `nobody is ${service}.${endpoint}` } }
    : {
        ...next,
        status: { ...statusOf(state, 'connecting', now), why: `waiting for ${service}.${endpoint}` },
      };
}

/** The workers that a complete scrape did without: who stays, how often they were missed, and what is said of it. */
function missed(
  { endpoints, misses }: AggregatorState,
  present: readonly Endpoint[],
  answered: boolean,
  missesUntilGone: number,
): Pick<AggregatorState, 'misses' | 'problems'> & { readonly kept: readonly Endpoint[] } {
  const here = new Set(present.map(({ workerId }) => workerId));
  const absent = [...endpoints.endpoints.values()].filter(({ workerId }) => !here.has(workerId));
  const times = new Map(absent.map(({ workerId }) => [workerId, (misses.get(workerId) ?? 0) + 1]));
  const kept = absent.filter(({ workerId }) => (times.get(workerId) ?? 0) < missesUntilGone);
  const news = absent.filter(({ workerId }) => times.get(workerId) === 1).map(({ workerId }) => workerId);
  const left = missesUntilGone - 1;
  return {
    kept,
    misses: new Map(kept.map(({ workerId }) => [workerId, times.get(workerId) ?? 0])),
    problems: answered
      ? news.map((workerId) => scrapeProblems.missed(workerId, left))
      : news.length > 0
        ? [scrapeProblems.nobody(news.length, left)]
        : [],
  };
}

/** The status in that state, since when it is. */
function statusOf({ status }: AggregatorState, state: SourceState, now: number): SourceStatus {
  return { source: 'scrape', state, since: status.state === state ? status.since : now };
}
