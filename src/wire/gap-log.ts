import type { SequenceGap } from './load-account.js';

const MOST = 256;
const NONE: readonly SequenceGap[] = [];

/** Gaps until somebody takes them: at most 256, the others are counted only. */
export class GapLog {
  dropped = 0;
  private gaps: SequenceGap[] = [];

  get full(): boolean {
    return this.gaps.length >= MOST;
  }

  add(gap: SequenceGap): void {
    this.gaps.push(gap);
  }

  take(): readonly SequenceGap[] {
    if (this.gaps.length === 0) return NONE;
    const { gaps } = this;
    this.gaps = [];
    return gaps;
  }
}
