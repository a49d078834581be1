import type { CheckResult } from './rank-checks.js';
import type { WorkerId } from './worker-id.js';

/** The judgement on one reported rank: busy or not, and every check that could be made. */
export interface RankVerdict {
  readonly rank: number;
  readonly busy: boolean;
  readonly checks: readonly CheckResult[];
}

/**
 * Why a worker is busy or free: `load`, its ranks' values; `mark`, the request path marked it; `unmarked`, such a
 * mark ended; `left`, it is not known any more.
 */
export type VerdictReason = 'load' | 'mark' | 'unmarked' | 'left';

/** The judgement on one worker. */
export interface Verdict {
  readonly workerId: WorkerId;
  readonly busy: boolean;
  readonly reason: VerdictReason;
  /** When the worker became what it is, in milliseconds of the clock that drives the reducer. */
  readonly since: number;
  /** How many ranks were judged, silent declared ones included, and how many of them are busy. */
  readonly judgedRanks: number;
  readonly busyRanks: number;
  /** The judged ranks that reported, ascending. */
  readonly ranks: readonly RankVerdict[];
  /** The judgement as one sentence for people. */
  readonly text: string;
}
