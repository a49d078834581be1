import { catchError, concatMap, concat, defer, map, of, repeat, timer, toArray, type Observable } from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import { afterScrape, type ScrapeOutcome } from './after-scrape.js';
import type { AggregatorSettings } from './aggregator-options.js';
import { waitingState, waitOf, type AggregatorState } from './aggregator-state.js';
import type { Scrape } from './scrape.js';

/** One round after the other, for ever: what is known before the first, then what each one left. */
export function aggregatorRounds(scrape: Scrape, settings: AggregatorSettings): Observable<AggregatorState> {
  const { scheduler } = settings;
  return defer(() => {
    let state = waitingState(settings, scheduler.now());
    const round$ = defer(() => timer(waitOf(state, settings), scheduler)).pipe(
      concatMap(() => outcomeOf(scrape, settings)),
      map((outcome) => (state = afterScrape(state, outcome, settings, scheduler.now()))),
    );
    return concat(of(state), round$.pipe(repeat()));
  });
}

/** Replies are decoded as they come, so that the work of a large fleet is spread over the scrape. */
function outcomeOf(scrape: Scrape, settings: AggregatorSettings): Observable<ScrapeOutcome> {
  const { decode, policy, maxScrapeMs, scheduler } = settings;
  return defer(() => scrape).pipe(
    map(({ data }) => decode(data, policy.wire)),
    toArray(),
    answerWithin(maxScrapeMs, scheduler),
    map((replies): ScrapeOutcome => ({ replies })),
    catchError((error: unknown) => of<ScrapeOutcome>({ error })),
  );
}
