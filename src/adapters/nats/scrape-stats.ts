import type { Scrape } from '../../core/aggregator/scrape.js';
import { serviceRequestSubject } from '../../wire/services/service-names.js';
import type { NatsLink } from './nats-link.js';
import {
  type NatsConnectionOptions,
  NatsOptionsError,
  isSubjectToken,
  toNatsConnectionOptions,
} from './nats-options.js';
import { keepLink } from './nats-run.js';
import { type RequestManyOptions, requestManyOver } from './request-many.js';

/** How long a scrape listens, and how much it takes. */
export interface ScrapeOptions {
  /** Milliseconds from the request until no further reply is waited for, 0 to 600 000; 300 when absent, as in Dynamo. */
  readonly windowMs?: number;
  /** Replies of one scrape, 1 and above; 100 000 when absent. */
  readonly maxReplies?: number;
  /** Bytes of all replies of one scrape, 1 and above; 67 108 864 when absent. */
  readonly maxBytes?: number;
  /** What the subjects begin with on which replies are heard, where the server permits no `_INBOX`. */
  readonly inboxPrefix?: string;
}

const MAX_WINDOW_MS = 600_000;

/**
 * What a scrape asks.
 *
 * @throws NatsOptionsError for options that cannot be followed
 */
export function toStatsRequest(service: string | null, options: ScrapeOptions): RequestManyOptions {
  const {
    windowMs = 300,
    maxReplies = 100_000,
    maxBytes = 64 * 1024 * 1024,
    inboxPrefix = '_INBOX',
  } = options;
  const problems: string[] = [];
  if (service !== null && !isSubjectToken(service))
    problems.push(`${JSON.stringify(service)} is no service name: no spaces, dots, * or >`);
  if (!(windowMs >= 0 && windowMs <= MAX_WINDOW_MS))
    problems.push(`windowMs must be from 0 to ${MAX_WINDOW_MS}, not ${windowMs}`);
  if (!(maxReplies >= 1)) problems.push(`maxReplies must be 1 or more, not ${maxReplies}`);
  if (!(maxBytes >= 1)) problems.push(`maxBytes must be 1 or more, not ${maxBytes}`);
  if (!inboxPrefix.split('.').every(isSubjectToken))
    problems.push(`inboxPrefix must be words with dots between them, not ${JSON.stringify(inboxPrefix)}`);
  if (problems.length > 0) throw new NatsOptionsError(problems);
  const subject = serviceRequestSubject('STATS', service ?? undefined);
  return { subject, windowMs, maxReplies, maxBytes, inboxPrefix };
}

/** How long a connection of our own is kept for the next scrape. */
const KEEP_MS = 2_000;

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
  access: NatsLink | NatsConnectionOptions,
  service: string | null,
  options: ScrapeOptions = {},
): Scrape {
  const given = toNatsConnectionOptions(access);
  const question = toStatsRequest(service, options);
  return requestManyOver(keepLink(given, KEEP_MS), question, given.scheduler);
}
