import { type Observable, catchError, concatMap, defer, expand, map, of, timer, toArray } from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import type { AggregatorSettings } from './aggregator-options.js';
import type { Scrape, ScrapedReply } from './scrape.js';

/** How a scrape ended: with all its replies, or with an error. */
type ScrapeEnd = { readonly replies: readonly ScrapedReply[] } | { readonly error: unknown };

/** The outcome of a scrape, and the wait before the next one, in milliseconds. */
export type ScrapeOutcome = ScrapeEnd & { readonly nextWaitMs: number };

/**
 * An endless series of scrapes, each after a wait. Scrapes do not overlap: the next wait starts when the scrape has ended,
 * and the outcome of one scrape decides how long it is.
 */
export function scrapeOutcomes(scrape: Scrape, settings: AggregatorSettings): Observable<ScrapeOutcome> {
  const { waitMs, scheduler } = settings;
  const end$ = scrapeEnd(scrape, settings);
  const scrapeAfter = (waitedMs: number): Observable<ScrapeOutcome> =>
    timer(waitedMs, scheduler).pipe(
      concatMap(() => end$),
      map((end) => ({ ...end, nextWaitMs: waitAfter(end, waitedMs, settings) })),
    );
  return scrapeAfter(waitMs).pipe(expand(({ nextWaitMs }) => scrapeAfter(nextWaitMs)));
}

/** Replies are decoded as they arrive, so that the work for a large fleet is spread over the scrape. */
function scrapeEnd(
  scrape: Scrape,
  { decode, policy, maxScrapeMs, scheduler }: AggregatorSettings,
): Observable<ScrapeEnd> {
  return defer(() => scrape).pipe(
    map(({ data }) => decode(data, policy.wire)),
    toArray(),
    answerWithin(maxScrapeMs, scheduler),
    map((replies): ScrapeEnd => ({ replies })),
    catchError((error: unknown) => of<ScrapeEnd>({ error })),
  );
}

/** The wait after a scrape that followed a wait of `waitedMs`. */
function waitAfter(
  end: ScrapeEnd,
  waitedMs: number,
  { policy, waitMs, longestWaitMs }: AggregatorSettings,
): number {
  const hasReplies = 'replies' in end && end.replies.length > 0;
  return hasReplies || policy.backOff === 'none' ? waitMs : Math.min(longestWaitMs, 2 * waitedMs);
}
