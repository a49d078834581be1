import type { PublisherAccount, SequenceAccount, SequenceGap } from './load-account.js';
import type { LoadHeader } from './load-header.js';
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

/** What a number is after the highest one of its publisher. */
export type SequenceClass = 'next' | 'gap' | 'late' | 'restart';

/** How many numbers, and how many milliseconds of the publisher's clock, a message may be late. */
export const MAX_LATE_NUMBERS = 1024;
export const MAX_LATE_MS = 1000;

/**
 * Judges a running number.
 *
 * 1. One above the last is the next, more is a gap.
 * 2. What is not above the last began again when it is 0 and the last was not, when it was published more than a
 *    second after the last, or when it is more than 1 024 below it.
 * 3. All else is late: reordered (publishers that publish from several tasks do that), or twice.
 */
export function classifySequence(
  last: number,
  lastPublishedAt: number,
  sequence: number,
  publishedAt: number,
): SequenceClass {
  if (sequence === last + 1) return 'next';
  if (sequence > last) return 'gap';
  const again =
    (sequence === 0 && last > 0) ||
    publishedAt > lastPublishedAt + MAX_LATE_MS ||
    sequence < last - MAX_LATE_NUMBERS;
  return again ? 'restart' : 'late';
}

const MAX_GAPS = 256;
const NO_GAPS: readonly SequenceGap[] = [];

/** Gaps until somebody takes them: at most 256, the others are counted only. */
export class GapLog {
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

/** The running numbers of every publisher, each judged by {@link classifySequence}, and their sums. */
export class SequenceLedger {
  /** The monotonic time of receipt. */
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

  /** Judges the number of a message; `stamp` grows from message to message. */
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
      // A late message says nothing of what came after the last one, so the publisher stays unjudged.
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

  /** Apart from `add`, which most messages pass without it. */
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

  private raise(place: number, by: number): void {
    const { cells } = this.publishers;
    cells[place] = (cells[place] ?? 0) + by;
  }
}
