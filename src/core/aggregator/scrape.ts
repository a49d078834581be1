import type { Observable } from 'rxjs';
import { TidemarkError } from '../errors.js';
import type { StatsWirePolicy } from './aggregator-policy.js';
import type { ForwardPassMetrics } from './load-metrics.js';

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

/**
 * Why a scrape is not complete:
 *
 * - `disconnected`: the connection was not there, or was lost meanwhile;
 * - `refused`: we may not ask, or may not hear the answers;
 * - `timeout`: the server did not say that it has handed out everything;
 * - `too-many-replies`, `too-many-bytes`: more came than is taken;
 * - `failed`: anything else, which `cause` tells.
 */
export type ScrapeErrorCode =
  'disconnected' | 'refused' | 'timeout' | 'too-many-replies' | 'too-many-bytes' | 'failed';

/** A scrape could not be made, or was cut short. */
export class ScrapeError extends TidemarkError {
  override readonly name = 'ScrapeError';

  constructor(
    override readonly code: ScrapeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** An endpoint as a reply tells it. */
export interface ScrapedEndpoint {
  readonly name: string;
  readonly subject: string;
  /** What its engine says; `null` where that is nothing that can be read. */
  readonly metrics: ForwardPassMetrics | null;
  /** Why there are no metrics; `null` where there are. */
  readonly unread: { readonly message: string } | null;
}

/** A reply that was read, or why it could not be. */
export type ScrapedReply =
  { readonly endpoints: readonly ScrapedEndpoint[] } | { readonly error: { readonly message: string } };

/**
 * Reads one reply. It does not throw. {@link decodeServiceStats} of `tidemark/wire` is one, which the aggregator is
 * given because the core knows no bytes.
 */
export type ReplyDecoder = (data: Uint8Array, wire: StatsWirePolicy) => ScrapedReply;
