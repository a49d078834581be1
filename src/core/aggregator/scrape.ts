import type { Observable } from 'rxjs';
import { type PackageErrorCode, TidemarkError } from '../errors.js';
import type { StatsWirePolicy } from './aggregator-policy.js';
import type { ForwardPassMetrics } from './load-metrics.js';

/** One reply of a scrape, not decoded. */
export interface ScrapeReply {
  readonly data: Uint8Array;
  /** The subject on which it was received, if the transport has subjects. */
  readonly subject?: string;
  /** When it was received, in milliseconds of the scheduler's clock. */
  readonly receivedAt: number;
}

/**
 * Asks every worker for its statistics once.
 *
 * 1. It is cold: each subscription asks again.
 * 2. Replies are emitted as they arrive.
 * 3. It completes when its time is over, or when no more replies can follow.
 * 4. It errors with a {@link ScrapeError} when it could not be made or was cut short. The replies before the error are
 *    incomplete, so they do not show which workers left.
 * 5. Unsubscribing ends it.
 *
 * @see {@link metricsAggregator}
 */
export type Scrape = Observable<ScrapeReply>;

/**
 * Why a scrape is not complete:
 *
 * - `disconnected`: there was no connection, or it was lost during the scrape
 * - `refused`: asking or receiving replies is not permitted
 * - `timeout`: the server did not confirm that it has sent everything
 * - `too-many-replies`, `too-many-bytes`: the replies exceeded a limit
 * - `package-missing`, `package-version`, `package-broken`: the package `nats` cannot be used, see {@link PackageError}
 * - `failed`: another error, which is the `cause`
 */
export type ScrapeErrorCode =
  | 'disconnected'
  | 'refused'
  | 'timeout'
  | 'too-many-replies'
  | 'too-many-bytes'
  | 'failed'
  | PackageErrorCode;

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

/** An endpoint in a reply. */
export interface ScrapedEndpoint {
  readonly name: string;
  readonly subject: string;
  /** What its engine reports; `null` if it cannot be read. */
  readonly metrics: ForwardPassMetrics | null;
  /** Why the metrics cannot be read; `null` if they can. */
  readonly unread: { readonly message: string } | null;
}

/** A decoded reply, or why it could not be decoded. */
export type ScrapedReply =
  { readonly endpoints: readonly ScrapedEndpoint[] } | { readonly error: { readonly message: string } };

/**
 * Decodes one reply. It does not throw. `tidemark/wire` has one, {@link decodeServiceStats}. It is an option of the
 * aggregator because the core does not depend on wire formats.
 */
export type ReplyDecoder = (data: Uint8Array, wire: StatsWirePolicy) => ScrapedReply;
