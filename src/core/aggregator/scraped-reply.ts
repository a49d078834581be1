import type { StatsWirePolicy } from './aggregator-policy.js';
import type { ForwardPassMetrics } from './forward-pass-metrics.js';

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
