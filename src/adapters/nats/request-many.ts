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

/** What is asked, and how much is taken. */
export interface RequestManyOptions {
  readonly subject: string;
  readonly windowMs: number;
  readonly maxReplies: number;
  readonly maxBytes: number;
  readonly inboxPrefix: string;
}

/** How long the server has for saying that it took what it was sent, and that it has handed out everything. */
const MAX_ANSWER_MS = 2_000;
/** The status with which a server says that nobody listens. */
const NO_RESPONDERS = 503;
const nothing = new Uint8Array(0);

/**
 * One request over a connection that stands.
 *
 * The inbox is there before the request goes out. After the window the server is asked for a word: what it had until
 * then comes before that word, also when this process was too busy to look; and no word means that replies may be
 * missing.
 */
export function requestMany(link: NatsLink, question: RequestManyOptions, scheduler: SchedulerLike): Scrape {
  const { subject, windowMs, inboxPrefix } = question;
  return new Observable((subscriber) => {
    const inbox = `${inboxPrefix}.${randomUUID().replaceAll('-', '')}`;
    let [replies, bytes] = [0, 0];
    const answered = answerWithin<unknown>(MAX_ANSWER_MS, scheduler);
    const handle = ({ data, headers }: NatsMessage): void => {
      if (replies === 0 && hasNoResponders(data, headers)) {
        subscriber.complete();
        return;
      }
      replies += 1;
      bytes += data.length;
      const excess = excessOf(replies, bytes, question);
      if (excess === null) subscriber.next({ data, receivedAt: scheduler.now() });
      else subscriber.error(excess);
    };
    const round$ = subscribeAll(link, [inbox], handle).pipe(
      answered,
      switchMap(() => {
        link.publish(subject, nothing, { reply: inbox });
        return timer(windowMs, scheduler);
      }),
      switchMap(() => defer(() => link.flush()).pipe(answered)),
    );
    return merge(watchPublishRefusal(link, subject), round$)
      .pipe(take(1))
      .subscribe({
        error: (error: unknown) => subscriber.error(scrapeErrorOf(error, link.getServer(), subject)),
        complete: () => subscriber.complete(),
      });
  });
}

function hasNoResponders(data: Uint8Array, headers: NatsMessage['headers']): boolean {
  return data.length === 0 && headers?.code === NO_RESPONDERS;
}

function excessOf(replies: number, bytes: number, question: RequestManyOptions): ScrapeError | null {
  const { subject, maxReplies, maxBytes } = question;
  if (replies > maxReplies)
    return new ScrapeError(
      'too-many-replies',
      `More than ${maxReplies} replies came to ${subject}: raise maxReplies, or ask one service.`,
    );
  if (bytes > maxBytes)
    return new ScrapeError(
      'too-many-bytes',
      `The replies to ${subject} have more than ${maxBytes} bytes: raise maxBytes, or ask one service.`,
    );
  return null;
}

const SCRAPE_CODES: Partial<Record<NatsErrorCode, ScrapeErrorCode>> = {
  'nats-permission': 'refused',
  'nats-silent': 'timeout',
  'nats-unreachable': 'disconnected',
};

function scrapeErrorOf(error: unknown, url: string, subject: string): ScrapeError {
  const trouble = toNatsError(error, url, `asking ${subject}`);
  return new ScrapeError(SCRAPE_CODES[trouble.code] ?? 'failed', trouble.message, { cause: error });
}

/** A scrape over the connection that stands when it begins; it is cut short when that is lost. */
export function requestManyOver(
  linked$: Observable<LinkOrReason>,
  question: RequestManyOptions,
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
      'link' in state ? requestMany(state.link, question, scheduler) : throwError(() => disconnected(state)),
    ),
    takeUntil(lost$),
  );
}
