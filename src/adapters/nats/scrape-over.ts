import { map, skip, switchMap, take, takeUntil, throwError, type Observable, type SchedulerLike } from 'rxjs';
import { ScrapeError } from '../../core/aggregator/scrape-error.js';
import type { Scrape } from '../../core/aggregator/scrape.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import type { Disconnected, Linked } from './linked.js';
import { scrapeOnce, type Question } from './scrape-once.js';

/** A scrape over the connection that stands when it begins; it is cut short when that is lost. */
export function scrapeOver(
  linked$: Observable<Linked>,
  question: Question,
  scheduler: SchedulerLike = monotonicScheduler,
): Scrape {
  const disconnected = ({ why, code }: Disconnected): ScrapeError =>
    new ScrapeError(code ?? 'disconnected', `Asking ${question.subject}: ${why}`);
  const lost$ = linked$.pipe(
    skip(1),
    map((state) => {
      throw disconnected('why' in state ? state : { why: 'the connection was lost, and is there again' });
    }),
  );
  return linked$.pipe(
    take(1),
    switchMap((state) =>
      'link' in state ? scrapeOnce(state.link, question, scheduler) : throwError(() => disconnected(state)),
    ),
    takeUntil(lost$),
  );
}
