import { randomUUID } from 'node:crypto';
import {
  Observable,
  type SchedulerLike,
  defer,
  map,
  merge,
  skip,
  switchMap,
  take,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import { type Scrape, ScrapeError, type ScrapeErrorCode } from '../../core/aggregator/scrape.js';
import { answerWithin } from '../../operators/answer-within.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { type NatsErrorCode, toNatsError } from './nats-error.js';
import { type NatsLink, type NatsMessage, subscribeAll, watchPublishRefusal } from './nats-link.js';
import type { Disconnected, LinkOrReason } from './nats-run.js';

/** The request, and the limits of its replies. */
export interface RequestManyOptions {
  readonly subject: string;
  readonly windowMs: number;
  readonly maxReplies: number;
  readonly maxBytes: number;
  readonly inboxPrefix: string;
}

/** The time limit for the server to confirm that it has processed everything. */
const MAX_ANSWER_MS = 2_000;
/** The status that a server sends if there are no subscribers. */
const NO_RESPONDERS = 503;
const nothing = new Uint8Array(0);

/**
 * Makes one request over an open connection.
 *
 * It subscribes to the inbox before it sends the request. After the window it flushes the connection: all replies that
 * the server had by then arrive before its answer, even if this process was too busy to read them. Without an answer,
 * replies may be missing.
 */
function requestMany(link: NatsLink, request: RequestManyOptions, scheduler: SchedulerLike): Scrape {
  const { subject, windowMs, inboxPrefix } = request;
  return new Observable((subscriber) => {
    const inbox = `${inboxPrefix}.${randomUUID().replaceAll('-', '')}`;
    let [replies, bytes] = [0, 0];
    const inTime = answerWithin<unknown>(MAX_ANSWER_MS, scheduler);
    const handle = ({ data, headers }: NatsMessage): void => {
      if (replies === 0 && hasNoResponders(data, headers)) {
        subscriber.complete();
        return;
      }
      replies += 1;
      bytes += data.length;
      const excess = excessOf(replies, bytes, request);
      if (excess === null) subscriber.next({ data, receivedAt: scheduler.now() });
      else subscriber.error(excess);
    };
    const round$ = subscribeAll(link, [inbox], handle).pipe(
      inTime,
      switchMap(() => {
        link.publish(subject, nothing, { reply: inbox });
        return timer(windowMs, scheduler);
      }),
      switchMap(() => defer(() => link.flush()).pipe(inTime)),
    );
    return merge(watchPublishRefusal(link, subject), round$)
      .pipe(take(1))
      .subscribe({
        error: (error: unknown) => subscriber.error(toScrapeError(error, link.getServer(), subject)),
        complete: () => subscriber.complete(),
      });
  });
}

function hasNoResponders(data: Uint8Array, headers: NatsMessage['headers']): boolean {
  return data.length === 0 && headers?.code === NO_RESPONDERS;
}

function excessOf(replies: number, bytes: number, request: RequestManyOptions): ScrapeError | null {
  const { subject, maxReplies, maxBytes } = request;
  if (replies > maxReplies)
    return new ScrapeError(
      'too-many-replies',
      `More than ${maxReplies} replies to ${subject}: raise maxReplies, or request a single service.`,
    );
  if (bytes > maxBytes)
    return new ScrapeError(
      'too-many-bytes',
      `The replies to ${subject} have more than ${maxBytes} bytes: raise maxBytes, or request a single service.`,
    );
  return null;
}

const SCRAPE_CODES: Partial<Record<NatsErrorCode, ScrapeErrorCode>> = {
  'nats-permission': 'refused',
  'nats-silent': 'timeout',
  'nats-unreachable': 'disconnected',
};

function toScrapeError(error: unknown, url: string, subject: string): ScrapeError {
  const cause = toNatsError(error, url, `requesting ${subject}`);
  return new ScrapeError(SCRAPE_CODES[cause.code] ?? 'failed', cause.message, { cause: error });
}

/** A scrape over the current connection. It errors if that connection is lost. */
export function requestManyOver(
  link$: Observable<LinkOrReason>,
  request: RequestManyOptions,
  scheduler: SchedulerLike = monotonicScheduler,
): Scrape {
  const disconnected = ({ why, code }: Disconnected): ScrapeError =>
    new ScrapeError(code ?? 'disconnected', `Requesting ${request.subject}: ${why}`);
  const lost$ = link$.pipe(
    skip(1),
    map((state) => {
      throw disconnected('why' in state ? state : { why: 'the connection was lost and restored' });
    }),
  );
  return link$.pipe(
    take(1),
    switchMap((state) =>
      'link' in state ? requestMany(state.link, request, scheduler) : throwError(() => disconnected(state)),
    ),
    takeUntil(lost$),
  );
}
