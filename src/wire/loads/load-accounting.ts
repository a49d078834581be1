import type { DecodeErrorCode } from '../decode-error.js';
import type {
  AgeAccount,
  DetachedAccount,
  ForeignAccount,
  LoadAccount,
  PublisherAccount,
  SequenceGap,
} from './load-account.js';
import type { LoadHeader } from './load-header.js';
import { SequenceLedger } from './sequence-ledger.js';

/** The range of ages over an interval, kept without an allocation for each. */
export class AgeRange {
  /** The wall time of receipt. */
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

/** Messages by topic: the first 16 names, each up to 256 characters, the others together. */
export class ForeignTopics {
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

/** How much a {@link LoadAccounting} remembers. */
export interface LoadAccountingOptions {
  /** How many publishers are known at most, 1 to 500 000; 100 000 when absent. */
  readonly publishers?: number;
}

/**
 * Accounts for the messages of one subscription: what came, what was refused, and which numbers of which publisher
 * did not come. Counting a message allocates nothing, and memory is bounded: 128 bytes for each publisher, at most
 * 100 000 of them, and text and index of their ids.
 *
 * 1. Each message is told once: {@link countLoad}, {@link countFailure} or {@link countForeign}. Time is what {@link setTime} said
 *    last; once for a chunk of messages is enough.
 * 2. A publisher's account begins with its first message. A higher number than the next is a gap; `missing` counts
 *    what was not there then and never falls. NATS keeps the order of a publisher, so a number not above the last is
 *    rare: it is counted as `late` and fills nothing, because it may as well have come twice. So between
 *    `missing - late` and `missing` were lost.
 * 3. A publisher that begins again is a restart: number 0, or a lower number that was published more than a second
 *    later or lies more than 1 024 below. It begins at 0, so the numbers before its first are missing. How many the
 *    run before published after its last message, nobody knows.
 * 4. A gap between whose ends a {@link recordDetached} interval lies is `detached`: its loss is explained, though a part of
 *    it may be older than the interval. Until a message after a re-attach is judged (a late one says nothing), the publisher's `gap` is true.
 * 5. Messages of other topics have numbers of their own and are not judged by number. A refused load is, if its head
 *    could be read; otherwise its number is missing.
 * 6. Up to May 2026 all publishers of a process have one id. Account for each subject apart, or their numbers show
 *    as restarts and gaps in turn.
 * 7. Above the limit the publisher that was silent longest is forgotten; if it comes again, it is new. The sums stay.
 *
 * @example
 * ```ts
 * import { policies, workerId } from 'tidemark';
 * import { encodeActiveLoad, encodeEnvelope, LoadAccounting, LoadBatchDecoder } from 'tidemark/wire';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * const decoder = new LoadBatchDecoder(policies.default);
 * const accounting = new LoadAccounting();
 * accounting.setTime(0, 1_700_000_000_005);
 * for (const sequence of [0, 1, 4]) {
 *   const header = { publisherId: '9', sequence, publishedAt: 1_700_000_000_000 };
 *   const bytes = encodeEnvelope(header, encodeActiveLoad(load, 4));
 *   if (decoder.add(bytes) === null) accounting.countLoad(decoder.header, bytes.length);
 * }
 * const { loads, sequences, age } = accounting.snapshot();
 * console.log(loads, sequences.missing, age?.max);
 * for (const { publisherId, from, to, detached } of accounting.takeGaps()) console.log(publisherId, from, to, detached);
 * // Logs: 3 2 5
 * // Logs: 9 2 3 false
 * ```
 *
 * @see {@link LoadBatchDecoder.header}
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

  /** @throws RangeError when the limit is none */
  constructor({ publishers = 100_000 }: LoadAccountingOptions = {}) {
    if (!Number.isInteger(publishers) || publishers < 1 || publishers > 500_000) {
      throw new RangeError(`publishers must be a whole number from 1 to 500 000, not ${publishers}`);
    }
    this.ledger = new SequenceLedger(publishers);
  }

  /** Grows with every call that changes the account. */
  get version(): number {
    return this.messages + this.detachedTimes + this.ledger.publishers.forgotten;
  }

  /** The time of what follows: monotonic for receipts and intervals, Unix milliseconds for ages. */
  setTime(monotonicMs: number, wallMs: number): void {
    this.ledger.now = monotonicMs;
    this.ages.wall = wallMs;
  }

  /** Counts a load and judges its number; a head that is not present is counted only. */
  countLoad(header: LoadHeader, bytes: number): void {
    this.messages += 1;
    this.bytes += bytes;
    this.loads += 1;
    if (header.present) this.judge(header);
    else this.withoutHeader += 1;
  }

  /** Counts a message that could not be decoded, and judges its number if its head could be read. */
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

  /** Tells of a re-attach: in this interval, monotonic milliseconds, nothing could be received. */
  recordDetached(fromMs: number, untilMs: number): void {
    this.detachedTimes += 1;
    this.detachedMs += untilMs - fromMs;
    this.lastDetached = { from: fromMs, until: untilMs };
    this.ledger.publishers.reattached();
  }

  /** Forgets the publishers of which nothing came since a monotonic time, and says how many. Visits all. */
  forgetSilent(beforeMs: number): number {
    return this.ledger.publishers.forgetSilent(beforeMs);
  }

  /** The gaps seen since the last call, at most 256; further ones are counted in `gapsDropped`. */
  takeGaps(): readonly SequenceGap[] {
    return this.ledger.gaps.take();
  }

  /** The account now. It changes nothing, and costs the same however many publishers there are. */
  snapshot(): LoadAccount {
    const { version, messages, bytes, loads, withoutHeader, failed, ledger } = this;
    const { size: known, forgotten, unjudged } = ledger.publishers;
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
      publishers: { known, forgotten, unjudged, gap: unjudged > 0 },
      detached: { times: this.detachedTimes, milliseconds: this.detachedMs, last: this.lastDetached },
      age: this.ages.account(),
      gapsDropped: ledger.gaps.dropped,
    };
  }

  /** Every publisher, in no order. It makes an object for each: milliseconds for every ten thousand. */
  publishers(): PublisherAccount[] {
    return this.ledger.publisherAccounts();
  }

  /** Begins a new interval for `age`; everything else counts on. */
  nextInterval(): void {
    this.ages.clear();
  }

  private judge(header: LoadHeader): void {
    this.ages.add(header);
    this.ledger.add(header, this.messages);
  }
}
