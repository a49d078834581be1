import type { Scrape } from '../../core/aggregator/scrape.js';
import { aNumber, aString, optionProblems, shownValue } from '../../core/option-problems.js';
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

/** The time limit of a scrape, and the limits of its replies. */
export interface ScrapeOptions {
  /** How long to wait for replies, in milliseconds, 0 to 600 000. Defaults to 300, as in Dynamo. */
  readonly windowMs?: number;
  /** The maximum number of replies of one scrape, at least 1. Defaults to 100 000. */
  readonly maxReplies?: number;
  /** The maximum size of all replies of one scrape, in bytes, at least 1. Defaults to 67 108 864. */
  readonly maxBytes?: number;
  /** The prefix of the reply subjects, if the server does not permit `_INBOX`. */
  readonly inboxPrefix?: string;
}

const MAX_WINDOW_MS = 600_000;
const scrapeRules = { windowMs: aNumber, maxReplies: aNumber, maxBytes: aNumber, inboxPrefix: aString };

/**
 * The request of a scrape.
 *
 * @throws NatsOptionsError for invalid options
 */
export function toStatsRequest(service: string | null, options: ScrapeOptions): RequestManyOptions {
  const shape = optionProblems('scrapeStats', options, scrapeRules);
  if (shape.length > 0) throw new NatsOptionsError(shape);
  const {
    windowMs = 300,
    maxReplies = 100_000,
    maxBytes = 64 * 1024 * 1024,
    inboxPrefix = '_INBOX',
  } = options;
  const problems: string[] = [];
  if (service !== null && !isSubjectToken(service))
    problems.push(
      `${shownValue(service)} is not a valid service name: it must not contain spaces, dots, * or >`,
    );
  if (!(windowMs >= 0 && windowMs <= MAX_WINDOW_MS))
    problems.push(`windowMs must be from 0 to ${MAX_WINDOW_MS}, not ${windowMs}`);
  if (!(maxReplies >= 1)) problems.push(`maxReplies must be at least 1, not ${maxReplies}`);
  if (!(maxBytes >= 1)) problems.push(`maxBytes must be at least 1, not ${maxBytes}`);
  if (!inboxPrefix.split('.').every(isSubjectToken))
    problems.push(`inboxPrefix must be words separated by dots, not ${JSON.stringify(inboxPrefix)}`);
  if (problems.length > 0) throw new NatsOptionsError(problems);
  const subject = serviceRequestSubject('STATS', service ?? undefined);
  return { subject, windowMs, maxReplies, maxBytes, inboxPrefix };
}

/** How long a connection is kept for the next scrape. */
const KEEP_MS = 2_000;

/**
 * Requests `$SRV.STATS` from all instances of a NATS micro service, or from all services if the name is `null`. It emits
 * the replies undecoded, as they are received.
 *
 * 1. The Observable is cold: each subscription makes a new request. It subscribes to the inbox before it sends the
 *    request.
 * 2. It completes when the window is over and the server has confirmed that it has delivered everything, or at once if
 *    there are no subscribers. Later replies are ignored.
 * 3. It errors with a {@link ScrapeError}: `disconnected` if there is no connection or it is lost; `timeout` if the server
 *    does not confirm within 2 s; `refused` without permission for the request or the inbox; `too-many-replies` and
 *    `too-many-bytes` at the first reply beyond the limits. So if a scrape completes, a missing reply means that the
 *    worker did not answer.
 * 4. With `servers`, all subscriptions share one connection, which reconnects by itself and is closed two seconds after
 *    the last of them. A connection of the caller stays open.
 * 5. Unsubscribing also unsubscribes from the inbox.
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
 * @throws NatsOptionsError for invalid options, synchronously.
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
 * @see {@link metricsAggregator} for snapshots of the replies, {@link serveStats} for the responder
 */
export function scrapeStats(
  connection: NatsLink | NatsConnectionOptions,
  service: string | null,
  options: ScrapeOptions = {},
): Scrape {
  const given = toNatsConnectionOptions(connection);
  const request = toStatsRequest(service, options);
  return requestManyOver(keepLink(given, KEEP_MS), request, given.scheduler);
}
