import { GapLog } from './gap-log.js';
import { judgeSequence } from './judge-sequence.js';
import type { PublisherAccount, SequenceAccount } from './load-account.js';
import type { LoadHead } from './load-head.js';
import {
  ATTACHMENT,
  FIRST_SEQUENCE,
  GAPS,
  LATE,
  MISSING,
  MISSING_DETACHED,
  PUBLISHED_AT,
  RECEIVED,
  RECEIVED_AT,
  RESTARTS,
  SEQUENCE,
  STAMP,
} from './publisher-cell.js';
import { PublisherCells } from './publisher-cells.js';

/** The running numbers of every publisher, each judged by {@link judgeSequence}, and their sums. */
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
  add({ publisherHigh, publisherLow, sequence, publishedAt }: LoadHead, stamp: number): void {
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
      const verdict = judgeSequence(last, cells[at + PUBLISHED_AT] ?? 0, sequence, publishedAt);
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
