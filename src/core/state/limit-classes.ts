import type { Count } from '../count.js';
import { decodeLimit, prefillLimit } from '../judgement/rank-checks.js';
import type { RankRange } from '../judgement/rank-state.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';

/** The capacities that a config gives to a range of ranks, as a limit class. */
export interface CapacityLayer extends RankRange {
  readonly limits: number;
}

/** The class of a rank with unknown capacities. */
export const NO_CAPACITY = 0;

/**
 * Capacities as small integers: each pair of total blocks and batch limit is a class, with the limits that follow from
 * the thresholds. A pool has few classes, so a change of thresholds computes few limits, and two configs are compared by
 * comparing integers.
 */
export class LimitClasses {
  readonly totals: (Count | undefined)[] = [];
  readonly batches: (Count | undefined)[] = [];
  /** The limits of blocks; infinite if the check cannot be made. */
  blocks: Float64Array = new Float64Array(16);
  /** The limits of tokens: exact, and as numbers for the comparison with small values. */
  readonly exactTokens: (Count | null)[] = [];
  tokens: Float64Array = new Float64Array(16);
  private readonly byKey = new Map<string, number>();

  constructor(
    private readonly policy: LoadPolicy,
    private thresholds: LoadThresholds,
  ) {
    this.intern(undefined, undefined);
  }

  /** The class of a pair of capacities. */
  intern(total: Count | undefined, batch: Count | undefined): number {
    const key = `${total}/${batch}`;
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const index = this.totals.length;
    this.totals.push(total);
    this.batches.push(batch);
    this.exactTokens.push(null);
    if (index >= this.blocks.length) {
      this.blocks = doubleLength(this.blocks);
      this.tokens = doubleLength(this.tokens);
    }
    this.byKey.set(key, index);
    this.compute(index);
    return index;
  }

  /** Sets other thresholds, and computes every limit again. */
  setThresholds(thresholds: LoadThresholds): void {
    this.thresholds = thresholds;
    for (let index = 0; index < this.totals.length; index += 1) this.compute(index);
  }

  /** Whether a decode threshold is set, and the class has blocks to compare with it. */
  judgesBlocks(index: number): boolean {
    const total = this.totals[index];
    return this.thresholds.activeDecodeBlocksThreshold !== null && total !== undefined && Number(total) > 0;
  }

  private compute(index: number): void {
    const decode = this.thresholds.activeDecodeBlocksThreshold;
    const total = this.totals[index];
    this.blocks[index] =
      decode === null || !this.judgesBlocks(index) ? Infinity : decodeLimit(decode, total ?? 0);
    const exact = this.tokenLimit(this.batches[index]);
    this.exactTokens[index] = exact;
    this.tokens[index] = exact === null ? Infinity : Number(exact);
  }

  /** The smaller one of the two limits of tokens; `null` when both checks are off. */
  private tokenLimit(batch: Count | undefined): Count | null {
    const absolute = this.thresholds.activePrefillTokensThreshold;
    const fraction =
      this.policy.batchFractionCheck === 'present' ? this.thresholds.activePrefillTokensThresholdFrac : null;
    if (fraction === null) return absolute;
    const relative = prefillLimit(fraction, batch ?? null);
    return absolute !== null && absolute < relative ? absolute : relative;
  }
}

function doubleLength(array: Float64Array): Float64Array {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
