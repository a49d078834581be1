import type { Count } from '../count.js';
import { decodeLimit, prefillLimit } from '../judgement/rank-checks.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';

/** The class of a rank whose capacities are not known. */
export const NO_CAPACITY = 0;

/**
 * Capacities as small integers: each pair of total blocks and batch limit is a class, which carries the limits
 * that follow from the marks. A fleet has few classes, so a change of marks computes few limits, and comparing
 * two cards compares integers.
 */
export class LimitClasses {
  readonly totals: (Count | undefined)[] = [];
  readonly batches: (Count | undefined)[] = [];
  /** More blocks than this are too many; infinite where no check can be made. */
  blocks = new Float64Array(16);
  /** More tokens than this are too many: exact, and as a number for small values. */
  readonly exactTokens: (Count | null)[] = [];
  tokens = new Float64Array(16);
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

  /** Takes other marks: every limit is computed anew. */
  setThresholds(thresholds: LoadThresholds): void {
    this.thresholds = thresholds;
    for (let index = 0; index < this.totals.length; index += 1) this.compute(index);
  }

  /** Whether the class has blocks to compare with a decode mark that is set. */
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

  /** The smaller of the two marks on tokens; `null` when both are off. */
  private tokenLimit(batch: Count | undefined): Count | null {
    const absolute = this.thresholds.activePrefillTokensThreshold;
    const fraction =
      this.policy.batchFractionCheck === 'present' ? this.thresholds.activePrefillTokensThresholdFrac : null;
    if (fraction === null) return absolute;
    const relative = prefillLimit(fraction, batch ?? null);
    return absolute !== null && absolute < relative ? absolute : relative;
  }
}

function doubleLength(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
