import type {
  NotAccountableReason,
  NotAccountableReport,
  PublisherAccount,
  SequenceAccount,
  SequenceGap,
} from '../../wire/loads/load-account.js';
import type { LoadHeader } from '../../wire/loads/load-header.js';
import {
  ATTACHMENT,
  FIRST_SEQUENCE,
  GAPS,
  LATE,
  MISSING,
  MISSING_DETACHED,
  PUBLISHED_AT,
  PublisherCells,
  RECEIVED,
  RECEIVED_AT,
  RESTARTS,
  SENDER,
  SEQUENCE,
  STAMP,
} from './publisher-cells.js';
import {
  ANY_SENDER,
  type MissingNumbers,
  type NumberedMessage,
  PublisherRuns,
  Run,
  type RunResult,
  UNKNOWN_SENDER,
} from './publisher-runs.js';

/** The sender of a cell whose publisher must not take the short path, because gaps are held or it is not accountable. */
const NO_SENDER = 2 ** 35;

const MAX_GAPS = 256;
const NO_GAPS: readonly SequenceGap[] = [];

/** Gaps until they are taken: at most 256, further ones are only counted. */
class GapLog {
  dropped = 0;
  private gaps: SequenceGap[] = [];

  get full(): boolean {
    return this.gaps.length >= MAX_GAPS;
  }

  add(gap: SequenceGap): void {
    this.gaps.push(gap);
  }

  /** Removes the gaps of a publisher. */
  remove(publisherId: string): void {
    this.gaps = this.gaps.filter((gap) => gap.publisherId !== publisherId);
  }

  take(): readonly SequenceGap[] {
    if (this.gaps.length === 0) return NO_GAPS;
    const { gaps } = this;
    this.gaps = [];
    return gaps;
  }
}

/** The sequence numbers of every publisher, judged by {@link PublisherRuns}, and their sums. */
export class SequenceLedger {
  /** The time of receipt, in monotonic milliseconds. */
  now = 0;
  readonly gaps = new GapLog();
  readonly publishers: PublisherCells;
  private missing = 0;
  private missingDetached = 0;
  private gapCount = 0;
  private late = 0;
  private restarts = 0;
  private refused: NotAccountableReport | null = null;

  constructor(limit: number) {
    this.publishers = new PublisherCells(limit);
  }

  /**
   * Judges the number of a message; `stamp` increases with every message. Most messages continue the run of the last
   * one, which the cell of the publisher is enough for.
   */
  add(header: LoadHeader, stamp: number): void {
    const { publishers, now } = this;
    const { sequence } = header;
    const at = publishers.find(header.publisherHigh, header.publisherLow);
    const { cells } = publishers;
    const received = cells[at + RECEIVED] ?? 0;
    cells[at + RECEIVED] = received + 1;
    cells[at + RECEIVED_AT] = now;
    cells[at + STAMP] = stamp;
    if (received === 0) {
      cells[at + FIRST_SEQUENCE] = sequence;
      cells[at + SENDER] = senderOf(header);
    } else {
      const expected = cells[at + SENDER] ?? 0;
      const isExpected = expected === ANY_SENDER || expected === senderOf(header);
      if (!isExpected || sequence !== (cells[at + SEQUENCE] ?? 0) + 1) {
        const { publishedAt } = header;
        const { attachment } = publishers;
        this.addToRuns(at, { sender: senderOf(header), sequence, publishedAt, attachment, stamp, now });
        return;
      }
      if (cells[at + ATTACHMENT] !== publishers.attachment) publishers.unjudged -= 1;
    }
    cells[at + ATTACHMENT] = publishers.attachment;
    cells[at + SEQUENCE] = sequence;
    cells[at + PUBLISHED_AT] = header.publishedAt;
  }

  account(): SequenceAccount {
    const { missing, missingDetached, gapCount, late, restarts } = this;
    return { missing, missingDetached, gaps: gapCount, late, restarts };
  }

  publisherAccounts(): PublisherAccount[] {
    const { cells, attachment, runs } = this.publishers;
    return this.publishers.known().map((at) => {
      const known = runs.get(at);
      return {
        publisherId: this.publishers.id(at),
        received: cells[at + RECEIVED] ?? 0,
        firstSequence: cells[at + FIRST_SEQUENCE] ?? 0,
        lastSequence: cells[at + SEQUENCE] ?? 0,
        lastReceivedAt: cells[at + RECEIVED_AT] ?? 0,
        lastPublishedAt: cells[at + PUBLISHED_AT] ?? 0,
        missing: cells[at + MISSING] ?? 0,
        missingDetached: cells[at + MISSING_DETACHED] ?? 0,
        gaps: cells[at + GAPS] ?? 0,
        late: cells[at + LATE] ?? 0,
        restarts: cells[at + RESTARTS] ?? 0,
        gap: cells[at + ATTACHMENT] !== attachment,
        notAccountable: typeof known === 'string' ? known : null,
      };
    });
  }

  /** The publishers that became not accountable since the last call. */
  takeNotAccountable(): NotAccountableReport | null {
    const { refused } = this;
    this.refused = null;
    return refused;
  }

  /** Judges a message that does not simply continue the run of the last one. */
  private addToRuns(at: number, message: NumberedMessage): void {
    const { publishers } = this;
    const { cells } = publishers;
    const runs = publishers.runs.get(at) ?? this.beginRuns(at);
    const result = typeof runs === 'string' ? runs : this.judge(at, runs, message);
    // A late message shows nothing about newer messages, so the publisher stays unjudged.
    if (result === 'late') return;
    if (cells[at + ATTACHMENT] !== publishers.attachment) publishers.unjudged -= 1;
    cells[at + ATTACHMENT] = publishers.attachment;
    cells[at + SEQUENCE] = message.sequence;
    cells[at + PUBLISHED_AT] = message.publishedAt;
  }

  private beginRuns(at: number): PublisherRuns {
    const { cells, runs } = this.publishers;
    const [first = 0, last = 0] = [cells[at + FIRST_SEQUENCE], cells[at + SEQUENCE]];
    const [sender = 0, publishedAt = 0] = [cells[at + SENDER], cells[at + PUBLISHED_AT]];
    const begun = new PublisherRuns(
      new Run(sender, first, last, publishedAt, cells[at + ATTACHMENT] ?? 0, 0),
    );
    runs.set(at, begun);
    return begun;
  }

  private judge(at: number, runs: PublisherRuns, message: NumberedMessage): RunResult {
    const { cells } = this.publishers;
    const reported: MissingNumbers[] = [];
    const before = runs.current;
    before.last = cells[at + SEQUENCE] ?? 0;
    before.publishedAt = cells[at + PUBLISHED_AT] ?? 0;
    before.attachment = cells[at + ATTACHMENT] ?? 0;
    const result = runs.add(message, reported);
    if (isReason(result)) {
      this.refuse(at, result);
      return result;
    }
    for (const gap of reported) this.noteGap(at, gap);
    if (result === 'late') {
      this.late += 1;
      this.raise(at + LATE, 1);
    } else if (result === 'restart') {
      this.restarts += 1;
      this.raise(at + RESTARTS, 1);
    }
    const { sender, held } = runs.current;
    cells[at + SENDER] = held.length > 0 ? NO_SENDER : sender;
    return result;
  }

  /** Stops judging a publisher, and takes back what was reported missing. */
  private refuse(at: number, reason: NotAccountableReason): void {
    const { publishers } = this;
    const { cells } = publishers;
    const publisherId = publishers.id(at);
    publishers.runs.set(at, reason);
    publishers.notAccountable += 1;
    cells[at + SENDER] = NO_SENDER;
    this.missing -= cells[at + MISSING] ?? 0;
    this.missingDetached -= cells[at + MISSING_DETACHED] ?? 0;
    this.gapCount -= cells[at + GAPS] ?? 0;
    cells.fill(0, at + MISSING, at + GAPS + 1);
    this.gaps.remove(publisherId);
    this.refused = { ...(this.refused ?? { publisherId, reason }), count: (this.refused?.count ?? 0) + 1 };
  }

  private noteGap(at: number, { from, to, detached, restarted, seenAt }: MissingNumbers): void {
    const { publishers, gaps } = this;
    const missing = to - from + 1;
    this.missing += missing;
    this.gapCount += 1;
    this.raise(at + MISSING, missing);
    this.raise(at + GAPS, 1);
    if (detached) {
      this.missingDetached += missing;
      this.raise(at + MISSING_DETACHED, missing);
    }
    if (gaps.full) {
      gaps.dropped += 1;
      return;
    }
    gaps.add({ publisherId: publishers.id(at), from, to, missing, detached, restarted, seenAt });
  }

  private raise(offset: number, by: number): void {
    const { cells } = this.publishers;
    cells[offset] = (cells[offset] ?? 0) + by;
  }
}

/**
 * Identifies the worker and rank of a load in 32 bits. The ranks of a worker differ; two workers of a router are confused
 * with a probability of 2^-32.
 */
function senderOf({ hasLoad, workerHigh, workerLow, dpRank }: LoadHeader): number {
  return hasLoad ? workerHigh ^ workerLow ^ Math.imul(dpRank, 0x9e37_79b1) : UNKNOWN_SENDER;
}

function isReason(result: RunResult): result is NotAccountableReason {
  return result !== 'next' && result !== 'late' && result !== 'restart';
}
