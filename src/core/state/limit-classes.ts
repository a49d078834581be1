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

/** The group of the classes with the thresholds of the pool. */
export const POOL_GROUP = 0;

/** The classes with the same thresholds. */
interface ClassGroup {
  thresholds: LoadThresholds;
  readonly byKey: Map<string, number>;
}

/**
 * Capacities as small integers: each pair of total blocks and batch limit is a class, with the limits that follow from
 * the thresholds. A pool has few classes, so a change of thresholds computes few limits, and two configs are compared by
 * comparing integers.
 *
 * The classes of the pool are one group. Each worker with thresholds of its own has another group, so that a load of it
 * costs the same as any other load. Configs are compared by the classes of the pool only.
 */
export class LimitClasses {
  readonly totals: (Count | undefined)[] = [];
  readonly batches: (Count | undefined)[] = [];
  /** The limits of blocks; infinite if the check cannot be made. */
  blocks: Float64Array = new Float64Array(16);
  /** The limits of tokens: exact, and as numbers for the comparison with small values. */
  readonly exactTokens: (Count | null)[] = [];
  tokens: Float64Array = new Float64Array(16);
  /** Whether a decode threshold is set, and the class has blocks to compare with it. */
  readonly judgesBlocks: boolean[] = [];
  private readonly groups: ClassGroup[];

  constructor(
    private readonly policy: LoadPolicy,
    thresholds: LoadThresholds,
  ) {
    this.groups = [{ thresholds, byKey: new Map() }];
    this.intern(undefined, undefined);
  }

  /** The class of a pair of capacities in a group; of the pool when absent. */
  intern(total: Count | undefined, batch: Count | undefined, group = POOL_GROUP): number {
    const { thresholds, byKey } = this.groups[group] as ClassGroup;
    const key = `${total}/${batch}`;
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const index = this.totals.length;
    this.totals.push(total);
    this.batches.push(batch);
    this.exactTokens.push(null);
    if (index >= this.blocks.length) {
      this.blocks = doubleLength(this.blocks);
      this.tokens = doubleLength(this.tokens);
    }
    byKey.set(key, index);
    this.compute(index, thresholds);
    return index;
  }

  /** The number of a new group. */
  addGroup(thresholds: LoadThresholds): number {
    return this.groups.push({ thresholds, byKey: new Map() }) - 1;
  }

  /** Sets other thresholds for a group, and computes its limits again. */
  setThresholds(thresholds: LoadThresholds, group: number): void {
    const changed = this.groups[group] as ClassGroup;
    changed.thresholds = thresholds;
    for (const index of changed.byKey.values()) this.compute(index, thresholds);
  }

  private compute(index: number, thresholds: LoadThresholds): void {
    const decode = thresholds.activeDecodeBlocksThreshold;
    const total = this.totals[index] ?? 0;
    const judgesBlocks = decode !== null && Number(total) > 0;
    this.judgesBlocks[index] = judgesBlocks;
    this.blocks[index] = judgesBlocks ? decodeLimit(decode, total) : Infinity;
    const exact = this.tokenLimit(this.batches[index], thresholds);
    this.exactTokens[index] = exact;
    this.tokens[index] = exact === null ? Infinity : Number(exact);
  }

  /** The smaller one of the two limits of tokens; `null` when both checks are off. */
  private tokenLimit(batch: Count | undefined, thresholds: LoadThresholds): Count | null {
    const absolute = thresholds.activePrefillTokensThreshold;
    const fraction =
      this.policy.batchFractionCheck === 'present' ? thresholds.activePrefillTokensThresholdFrac : null;
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
