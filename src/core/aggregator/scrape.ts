import type { Observable } from 'rxjs';

/** One reply of a scrape, as it came. */
export interface ScrapeReply {
  readonly data: Uint8Array;
  /** The subject it came on, where the transport has one. */
  readonly subject?: string;
  /** When it came, in milliseconds of the scheduler's clock. */
  readonly receivedAt: number;
}

/**
 * One round of asking every worker for its statistics.
 *
 * 1. It is cold: each subscription asks anew.
 * 2. Replies are emitted as they come.
 * 3. It completes when its time is over, or when it is known that nobody (else) answers.
 * 4. It errors with a {@link ScrapeError} when it could not be made or was cut short. What came before the error is
 *    not everything, so it is no basis for saying who is gone.
 * 5. Unsubscribing ends it.
 *
 * @see {@link metricsAggregator}
 */
export type Scrape = Observable<ScrapeReply>;
