import { serviceRequestSubject } from '../../wire/service-names.js';
import { NatsOptionsError } from './nats-options-error.js';
import type { Question } from './scrape-once.js';
import { isSubjectToken } from './subject-token.js';

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

const LONGEST_WINDOW_MS = 600_000;

/**
 * What a scrape asks.
 *
 * @throws NatsOptionsError for options that cannot be followed
 */
export function scrapeQuestion(service: string | null, options: ScrapeOptions): Question {
  const {
    windowMs = 300,
    maxReplies = 100_000,
    maxBytes = 64 * 1024 * 1024,
    inboxPrefix = '_INBOX',
  } = options;
  const problems: string[] = [];
  if (service !== null && !isSubjectToken(service))
    problems.push(`${JSON.stringify(service)} is no service name: no spaces, dots, * or >`);
  if (!(windowMs >= 0 && windowMs <= LONGEST_WINDOW_MS))
    problems.push(`windowMs must be from 0 to ${LONGEST_WINDOW_MS}, not ${windowMs}`);
  if (!(maxReplies >= 1)) problems.push(`maxReplies must be 1 or more, not ${maxReplies}`);
  if (!(maxBytes >= 1)) problems.push(`maxBytes must be 1 or more, not ${maxBytes}`);
  if (!inboxPrefix.split('.').every(isSubjectToken))
    problems.push(`inboxPrefix must be words with dots between them, not ${JSON.stringify(inboxPrefix)}`);
  if (problems.length > 0) throw new NatsOptionsError(problems);
  const subject = serviceRequestSubject('STATS', service ?? undefined);
  return { subject, windowMs, maxReplies, maxBytes, inboxPrefix };
}
