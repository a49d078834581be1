import type { Scrape } from '../../core/aggregator/scrape.js';
import { linked } from './linked.js';
import { accessOf, type NatsAccess } from './nats-access.js';
import type { NatsLink } from './nats-link.js';
import { scrapeOver } from './scrape-over.js';
import { scrapeQuestion, type ScrapeOptions } from './scrape-question.js';

/** How long a connection of our own is kept for the next scrape. */
const KEPT_MS = 2_000;

/**
 * Asks every instance of a NATS micro service for its statistics, as `$SRV.STATS` has them: the replies as they come,
 * undecoded. `null` asks all services.
 *
 * 1. Cold: each subscription asks anew. The inbox is subscribed to before the request goes out.
 * 2. It completes when the window is over and the server has said that it handed out everything until then; at once when
 *    the server says that nobody listens. What comes later is nobody's.
 * 3. It errors with a {@link ScrapeError}: `disconnected` when there is no connection, or it is lost meanwhile;
 *    `timeout` when the server says nothing for 2 s; `refused` without permission for the request or for the inbox;
 *    `too-many-replies` and `too-many-bytes` beyond the bounds, after what is within them. So silence and a dead link are told
 *    apart: who did not answer a scrape that completed did not answer.
 * 4. Over servers it has one connection of its own for all its subscriptions, which heals by itself and is closed two
 *    seconds after the last of them. A connection of the caller's is left open.
 * 5. Unsubscribing takes back the inbox.
 *
 * ```
 *   NATS      inbox request r1 r2 …                 (late)
 *   scrape$         --------r1-r2------------|
 *                           <-- windowMs -->
 *   NATS      inbox request 503
 *   scrape$         --------|
 *   NATS      inbox request r1 (cut)
 *   scrape$         --------r1-#
 * ```
 *
 * @throws NatsOptionsError, when it is called, for options that cannot be followed.
 *
 * @example
 * ```ts no-run
 * import { scrapeStats } from 'tidemark/nats';
 *
 * scrapeStats({ servers: 'nats://127.0.0.1:4222' }, 'dynamo_backend').subscribe({
 *   next: ({ data }) => console.log(new TextDecoder().decode(data)),
 *   error: ({ code, message }) => console.warn(code, message),
 * });
 * ```
 *
 * @see {@link metricsAggregator} for snapshots of what the workers say, {@link serveStats} for the other side
 */
export function scrapeStats(
  access: NatsLink | NatsAccess,
  service: string | null,
  options: ScrapeOptions = {},
): Scrape {
  const given = accessOf(access);
  const question = scrapeQuestion(service, options);
  return scrapeOver(linked(given, KEPT_MS), question, given.scheduler);
}
