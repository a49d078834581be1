import type { PublisherAccount, SequenceAccount, SequenceGap } from '../../wire/loads/load-account.js';
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
  SEQUENCE,
  STAMP,
} from './publisher-cells.js';

/** How a sequence number relates to the highest one of its publisher. */
export type SequenceClass = 'next' | 'gap' | 'late' | 'restart';

/** A message may be late by this many numbers. */
export const MAX_LATE_NUMBERS = 1024;
/** A message may be late by this many milliseconds of the publisher's clock. */
export const MAX_LATE_MS = 1000;

/**
 * Classifies a sequence number.
 *
 * 1. One above the last is the next; a higher one is a gap.
 * 2. A number that is not above the last is a restart if it is 0 and the last was not, if it was published more than a
 *    second after the last, or if it is more than 1 024 below it.
 * 3. Any other number is late: a duplicate, or reordered, as by publishers that publish from several tasks.
 */
export function classifySequence(
  last: number,
  lastPublishedAt: number,
  sequence: number,
  publishedAt: number,
): SequenceClass {
  if (sequence === last + 1) return 'next';
  if (sequence > last) return 'gap';
  const restarted =
    (sequence === 0 && last > 0) ||
    publishedAt > lastPublishedAt + MAX_LATE_MS ||
    sequence < last - MAX_LATE_NUMBERS;
  return restarted ? 'restart' : 'late';
}

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

  take(): readonly SequenceGap[] {
    if (this.gaps.length === 0) return NO_GAPS;
    const { gaps } = this;
    this.gaps = [];
    return gaps;
  }
}

/** The sequence numbers of every publisher, classified by {@link classifySequence}, and their sums. */
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

  constructor(limit: number) {
    this.publishers = new PublisherCells(limit);
  }

  /** Classifies the number of a message; `stamp` increases with every message. */
  add({ publisherHigh, publisherLow, sequence, publishedAt }: LoadHeader, stamp: number): void {
    const { publishers } = this;
    const at = publishers.find(publisherHigh, publisherLow);
    const { cells } = publishers;
    const received = cells[at + RECEIVED] ?? 0;
    cells[at + RECEIVED] = received + 1;
    cells[at + RECEIVED_AT] = this.now;
    cells[at + STAMP] = stamp;
    if (received === 0) cells[at + FIRST_SEQUENCE] = sequence;
    else {
      const last = cells[at + SEQUENCE] ?? 0;
      const verdict = classifySequence(last, cells[at + PUBLISHED_AT] ?? 0, sequence, publishedAt);
      if (verdict !== 'next') this.note(at, verdict, last, sequence);
      // A late message shows nothing about newer messages, so the publisher stays unjudged.
      if (verdict === 'late') return;
      if (cells[at + ATTACHMENT] !== publishers.attachment) publishers.unjudged -= 1;
    }
    cells[at + ATTACHMENT] = publishers.attachment;
    cells[at + SEQUENCE] = sequence;
    cells[at + PUBLISHED_AT] = publishedAt;
  }

  account(): SequenceAccount {
    const { missing, missingDetached, gapCount, late, restarts } = this;
    return { missing, missingDetached, gaps: gapCount, late, restarts };
  }

  publisherAccounts(): PublisherAccount[] {
    const { cells, attachment } = this.publishers;
    return this.publishers.known().map((at) => ({
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
    }));
  }

  /** Separate from `add`, because most messages do not need it. */
  private note(at: number, verdict: 'gap' | 'late' | 'restart', last: number, sequence: number): void {
    if (verdict === 'late') {
      this.late += 1;
      this.raise(at + LATE, 1);
      return;
    }
    const restarted = verdict === 'restart';
    if (restarted) {
      this.restarts += 1;
      this.raise(at + RESTARTS, 1);
    }
    const from = restarted ? 0 : last + 1;
    if (sequence > from) this.noteGap(at, from, sequence - 1, restarted);
  }

  private noteGap(at: number, from: number, to: number, restarted: boolean): void {
    const { publishers, gaps } = this;
    const { cells, attachment } = publishers;
    const missing = to - from + 1;
    const detached = cells[at + ATTACHMENT] !== attachment;
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
    const seenAt = cells[at + RECEIVED_AT] ?? 0;
    gaps.add({ publisherId: publishers.id(at), from, to, missing, detached, restarted, seenAt });
  }

  private raise(offset: number, by: number): void {
    const { cells } = this.publishers;
    cells[offset] = (cells[offset] ?? 0) + by;
  }
}
