import { TidemarkError } from '../../core/errors.js';
import type { DecodeErrorCode } from '../../wire/decode-error.js';
import type {
  AgeAccount,
  DetachedAccount,
  ForeignAccount,
  LoadAccount,
  NotAccountableReport,
  PublisherAccount,
  SequenceGap,
} from '../../wire/loads/load-account.js';
import type { LoadHeader } from '../../wire/loads/load-header.js';
import { SequenceLedger } from './sequence-ledger.js';

/** The range of ages in an interval. Adding an age allocates nothing. */
class AgeRange {
  /** The wall time of receipt, in Unix milliseconds. */
  wall = 0;
  private messages = 0;
  private min = Infinity;
  private last = 0;
  private max = -Infinity;
  private skewed = 0;

  add({ publishedAt }: LoadHeader): void {
    const age = this.wall - publishedAt;
    this.messages += 1;
    this.last = age;
    if (age < this.min) this.min = age;
    if (age > this.max) this.max = age;
    if (age < 0) this.skewed += 1;
  }

  clear(): void {
    this.messages = 0;
    this.min = Infinity;
    this.max = -Infinity;
    this.skewed = 0;
  }

  account(): AgeAccount | null {
    const { messages, min, last, max, skewed } = this;
    return messages === 0 ? null : { messages, min, last, max, skewed };
  }
}

const MAX_TOPICS = 16;
const MAX_TOPIC_LENGTH = 256;

/** Messages by topic: the first 16 topics of up to 256 characters, and the sum of all others. */
class ForeignTopics {
  private messages = 0;
  private otherTopics = 0;
  private readonly topics = new Map<string, number>();

  add(topic: string): void {
    this.messages += 1;
    const before = this.topics.get(topic);
    if (before === undefined && (this.topics.size >= MAX_TOPICS || topic.length > MAX_TOPIC_LENGTH))
      this.otherTopics += 1;
    else this.topics.set(topic, (before ?? 0) + 1);
  }

  account(): ForeignAccount {
    const topics = [...this.topics].map(([topic, messages]) => ({ topic, messages }));
    return { messages: this.messages, topics, otherTopics: this.otherTopics };
  }
}

/** Options of a {@link LoadAccounting}. */
export interface LoadAccountingOptions {
  /** The maximum number of known publishers, 1 to 500 000. Defaults to 100 000. */
  readonly publishers?: number;
}

/**
 * Accounts for the messages of one subscription: how many were received, how many failed to decode, and which sequence
 * numbers of each publisher are missing. Counting a message that continues the last one allocates nothing. Memory is
 * bounded: 128 bytes and the id for each publisher, up to the limit, and up to 32 sequences for each id.
 *
 * 1. Call one of {@link countLoad}, {@link countFailure} and {@link countForeign} once per message. Call {@link setTime}
 *    before; once per chunk of messages is enough.
 * 2. The account of a sequence begins with its first message. If a number is higher than the next one, there is a gap;
 *    `missing` counts the numbers in between. NATS keeps the order of a publisher, so a number that is not above the last
 *    one is rare: it counts as `late` and fills no gap, because it may be a duplicate. The number of lost messages is
 *    therefore between `missing - late` and `missing`.
 * 3. A publisher has restarted if it sends number 0, a lower number that was published more than a second later, or a
 *    number more than 1 024 below the last. A run begins at 0, so the numbers before the first one received are missing.
 *    How many messages the previous run published after its last received one is unknown.
 * 4. A gap that spans a {@link recordDetached} interval is `detached`. A part of its loss may be older than the interval.
 *    After a re-attach, the `gap` of a publisher is true until a message that is not late is received.
 * 5. Messages of other topics have sequence numbers of their own, which are ignored. The number of a load that could not
 *    be decoded counts if its header could be decoded; otherwise it is missing.
 * 6. An id may belong to several publishers, each with its own numbers. They are told apart by worker, rank and number: a
 *    worker and rank have a sequence of their own until their numbers continue those of others. See below.
 * 7. Another publisher also explains a gap of more than 16 numbers (unless it is detached), a restart at a number other
 *    than 0, and a gap to where the previous run had stopped. Such a gap is reported after 8 more messages. If the earlier
 *    numbers continue, the publisher is not accountable: nothing of it counts as missing, what was counted is taken
 *    back, and {@link takeNotAccountable} returns it with the reason.
 * 8. Above the limit, the publisher that has been silent longest is forgotten. The sums stay. If it publishes again, it
 *    counts as new.
 *
 * What identifies a sequence, by release. Captured: messages of 0.9.1 to 1.6.1. Measured: real workers of 1.0.1 and 1.6.1.
 *
 * | publishers | release | id | sequence |
 * |---|---|---|---|
 * | one for all ranks of a worker (captured, measured) | 0.9 to 1.2 | that of the worker | that of the id |
 * | one for each rank of a worker (measured) | 0.9 to 1.2 | that of the worker, for all | that of worker and rank |
 * | several for one rank (measured) | 0.9 to 1.2 | that of the worker, for all | cannot be told apart |
 * | one for each pool of a frontend, for all of its workers (captured) | 1.0 | that of the frontend | that of the pool, which is not in the message |
 * | any (captured, measured) | 1.3 and later | random for each publisher | that of the id |
 *
 * Nothing in a message says whether ranks share a sequence, so it cannot be known for the first messages: what is lost
 * before every rank was heard may be missed. Two publishers of one rank that take turns of more than 8 messages look like
 * losses until the first continues. A publisher that restarts with a new id counts as new.
 *
 * @example
 * ```ts
 * import { policies, workerId } from 'tidemark';
 * import { LoadAccounting } from 'tidemark/dynamo';
 * import { encodeActiveLoad, encodeEnvelope, LoadDecoder } from 'tidemark/wire';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * const decoder = new LoadDecoder(policies.default);
 * const accounting = new LoadAccounting();
 * accounting.setTime(0, 1_700_000_000_005);
 * for (const sequence of [0, 1, 4]) {
 *   const header = { publisherId: '9', sequence, publishedAt: 1_700_000_000_000 };
 *   const bytes = encodeEnvelope(header, encodeActiveLoad(load, 4));
 *   if ('load' in decoder.decode(bytes)) accounting.countLoad(decoder.header, bytes.length);
 * }
 * const { loads, sequences, age } = accounting.snapshot();
 * console.log(loads, sequences.missing, age?.max);
 * for (const { publisherId, from, to, detached } of accounting.takeGaps()) console.log(publisherId, from, to, detached);
 * // Logs: 3 2 5
 * // Logs: 9 2 3 false
 * ```
 *
 * @see {@link LoadDecoder.header}, and that of `LoadBatchDecoder` in `tidemark/fast`
 */
export class LoadAccounting {
  private messages = 0;
  private bytes = 0;
  private loads = 0;
  private withoutHeader = 0;
  private failed = 0;
  private detachedTimes = 0;
  private detachedMs = 0;
  private lastDetached: DetachedAccount['last'] = null;
  private readonly failures = new Map<DecodeErrorCode, number>();
  private readonly topics = new ForeignTopics();
  private readonly ages = new AgeRange();
  private readonly ledger: SequenceLedger;

  /** @throws TidemarkError, code `accounting-options`, if the limit is out of range */
  constructor({ publishers = 100_000 }: LoadAccountingOptions = {}) {
    if (!Number.isInteger(publishers) || publishers < 1 || publishers > 500_000) {
      throw new TidemarkError(
        'accounting-options',
        `publishers must be a whole number from 1 to 500 000, not ${publishers}.`,
      );
    }
    this.ledger = new SequenceLedger(publishers);
  }

  /** Increases with every call that changes the account. */
  get version(): number {
    return this.messages + this.detachedTimes + this.ledger.publishers.forgotten;
  }

  /** Sets the time of the following calls: monotonic milliseconds for receipts, Unix milliseconds for ages. */
  setTime(monotonicMs: number, wallMs: number): void {
    this.ledger.now = monotonicMs;
    this.ages.wall = wallMs;
  }

  /** Counts a load and classifies its number, if its header is present. */
  countLoad(header: LoadHeader, bytes: number): void {
    this.messages += 1;
    this.bytes += bytes;
    this.loads += 1;
    if (header.present) this.judge(header);
    else this.withoutHeader += 1;
  }

  /** Counts a message that could not be decoded, and classifies its number if its header could be decoded. */
  countFailure(code: DecodeErrorCode, bytes: number, header?: LoadHeader): void {
    this.messages += 1;
    this.bytes += bytes;
    this.failed += 1;
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    if (header?.present === true) this.judge(header);
  }

  /** Counts a message of another topic. */
  countForeign(topic: string, bytes: number): void {
    this.messages += 1;
    this.bytes += bytes;
    this.topics.add(topic);
  }

  /** Records a re-attach: in this interval, in monotonic milliseconds, nothing could be received. */
  recordDetached(fromMs: number, untilMs: number): void {
    this.detachedTimes += 1;
    this.detachedMs += untilMs - fromMs;
    this.lastDetached = { from: fromMs, until: untilMs };
    this.ledger.publishers.reattached();
  }

  /** Forgets the publishers without a message since a monotonic time, and returns their number. Visits all. */
  forgetSilent(beforeMs: number): number {
    return this.ledger.publishers.forgetSilent(beforeMs);
  }

  /** The gaps detected since the last call, at most 256. Further gaps are counted in `gapsDropped`. */
  takeGaps(): readonly SequenceGap[] {
    return this.ledger.gaps.take();
  }

  /** How many publishers became not accountable since the last call, with an example; `null` if none did. */
  takeNotAccountable(): NotAccountableReport | null {
    return this.ledger.takeNotAccountable();
  }

  /** The current account. The cost does not depend on the number of publishers. */
  snapshot(): LoadAccount {
    const { version, messages, bytes, loads, withoutHeader, failed, ledger } = this;
    const { size: known, forgotten, unjudged, notAccountable } = ledger.publishers;
    return {
      version,
      messages,
      bytes,
      loads,
      withoutHeader,
      failed,
      failures: Object.fromEntries(this.failures),
      foreign: this.topics.account(),
      sequences: ledger.account(),
      publishers: { known, forgotten, unjudged, gap: unjudged > 0, notAccountable },
      detached: { times: this.detachedTimes, milliseconds: this.detachedMs, last: this.lastDetached },
      age: this.ages.account(),
      gapsDropped: ledger.gaps.dropped,
    };
  }

  /** All publishers, in no particular order. Ten thousand take a few milliseconds. */
  publishers(): PublisherAccount[] {
    return this.ledger.publisherAccounts();
  }

  /** Begins a new interval for `age`. All other counts continue. */
  nextInterval(): void {
    this.ages.clear();
  }

  private judge(header: LoadHeader): void {
    this.ages.add(header);
    this.ledger.add(header, this.messages);
  }
}
