import { randomUUID } from 'node:crypto';
import { defer, merge, Observable, switchMap, take, timer, type SchedulerLike } from 'rxjs';
import { ScrapeError, type ScrapeErrorCode } from '../../core/aggregator/scrape-error.js';
import type { Scrape } from '../../core/aggregator/scrape.js';
import { answerWithin } from '../../operators/answer-within.js';
import type { NatsLink, NatsMessage } from './nats-link.js';
import { natsTroubleOf, type NatsTroubleCode } from './nats-trouble.js';
import { publishRefusal } from './publish-refusal.js';
import { subscribeAll } from './subscribe-all.js';

/** What is asked, and how much is taken. */
export interface Question {
  readonly subject: string;
  readonly windowMs: number;
  readonly maxReplies: number;
  readonly maxBytes: number;
  readonly inboxPrefix: string;
}

/** How long the server has for saying that it took what it was sent, and that it has handed out everything. */
const ANSWER_MS = 2_000;
/** The status with which a server says that nobody listens. */
const NOBODY = 503;
const nothing = new Uint8Array(0);

/**
 * One request over a connection that stands.
 *
 * The inbox is there before the request goes out. After the window the server is asked for a word: what it had until
 * then comes before that word, also when this process was too busy to look; and no word means that replies may be
 * missing.
 */
export function scrapeOnce(link: NatsLink, question: Question, scheduler: SchedulerLike): Scrape {
  const { subject, windowMs, inboxPrefix } = question;
  return new Observable((subscriber) => {
    const inbox = `${inboxPrefix}.${randomUUID().replaceAll('-', '')}`;
    let [replies, bytes] = [0, 0];
    const answered = answerWithin<unknown>(ANSWER_MS, scheduler);
    const handle = ({ data, headers }: NatsMessage): void => {
      if (replies === 0 && isNobody(data, headers)) {
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
    return merge(publishRefusal(link, subject), round$)
      .pipe(take(1))
      .subscribe({
        error: (error: unknown) => subscriber.error(scrapeErrorOf(error, link.getServer(), subject)),
        complete: () => subscriber.complete(),
      });
  });
}

function isNobody(data: Uint8Array, headers: NatsMessage['headers']): boolean {
  return data.length === 0 && headers?.code === NOBODY;
}

function excessOf(replies: number, bytes: number, question: Question): ScrapeError | null {
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

const CODES: Partial<Record<NatsTroubleCode, ScrapeErrorCode>> = {
  'nats-permission': 'refused',
  'nats-silent': 'timeout',
  'nats-unreachable': 'disconnected',
};

function scrapeErrorOf(error: unknown, url: string, subject: string): ScrapeError {
  const trouble = natsTroubleOf(error, url, `asking ${subject}`);
  return new ScrapeError(CODES[trouble.code] ?? 'failed', trouble.message, { cause: error });
}
