import { type Count, MAX_U64 } from '../count.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import type { RankState } from './rank-state.js';

/** A check that can make a rank busy. `latch`: no block count is above the mark now, but the latch still holds. */
export type LoadCheck =
  'activeDecodeBlocks' | 'kvUsedBlocks' | 'latch' | 'activePrefillTokens' | 'activePrefillTokensFrac';

/** One check of one rank: the value, and the limit it must not exceed. */
export interface CheckResult {
  readonly check: LoadCheck;
  readonly value: Count;
  readonly limit: Count;
  readonly exceeded: boolean;
}

const DEFAULT_BATCH_TOKENS = 10_000_000;

/** The most blocks a rank may have without being busy, as the original computes it: in binary64. */
export function decodeLimit(fraction: number, totalKvBlocks: Count): number {
  return fraction * Number(totalKvBlocks);
}

/**
 * The most prefill tokens a rank may have by a fraction of its batch limit: the product in binary64, cut to a
 * whole number of 0 to 2^64 − 1 as Rust casts it.
 */
export function prefillLimit(fraction: number, maxNumBatchedTokens: Count | null): Count {
  const product = fraction * Number(maxNumBatchedTokens ?? DEFAULT_BATCH_TOKENS);
  if (Number.isNaN(product) || product <= 0) return 0;
  if (product >= 2 ** 64) return MAX_U64;
  const cut = Math.trunc(product);
  return Number.isSafeInteger(cut) ? cut : BigInt(cut);
}

/**
 * The checks of one rank that are on and have what they need, in the order tokens, fraction, blocks. A check is
 * absent when its mark is off, its value was never reported, or the rank's total blocks are unknown or 0.
 */
export function rankChecks(rank: RankState, thresholds: LoadThresholds, policy: LoadPolicy): CheckResult[] {
  const results: CheckResult[] = [];
  const tokens = rank.activePrefillTokens;
  const add = (check: LoadCheck, value: Count, limit: Count, exceeded = value > limit): void => {
    results.push({ check, value, limit, exceeded });
  };
  if (tokens !== null) {
    if (thresholds.activePrefillTokensThreshold !== null) {
      add('activePrefillTokens', tokens, thresholds.activePrefillTokensThreshold);
    }
    if (policy.batchFractionCheck === 'present' && thresholds.activePrefillTokensThresholdFrac !== null) {
      const limit = prefillLimit(thresholds.activePrefillTokensThresholdFrac, rank.maxNumBatchedTokens);
      add('activePrefillTokensFrac', tokens, limit);
    }
  }
  if (
    thresholds.activeDecodeBlocksThreshold !== null &&
    rank.totalKvBlocks !== null &&
    Number(rank.totalKvBlocks) > 0
  ) {
    const limit = decodeLimit(thresholds.activeDecodeBlocksThreshold, rank.totalKvBlocks);
    const active = rank.activeDecodeBlocks === null ? null : Number(rank.activeDecodeBlocks);
    const used = rank.kvUsedBlocks === null ? null : Number(rank.kvUsedBlocks);
    switch (policy.decodeSignal) {
      case 'active':
        if (active !== null) add('activeDecodeBlocks', active, limit);
        break;
      case 'used-else-active':
        if (used !== null) add('kvUsedBlocks', used, limit);
        else if (active !== null) add('activeDecodeBlocks', active, limit);
        break;
      case 'latched': {
        const closed = rank.latch?.latched;
        if (used !== null) add('kvUsedBlocks', used, limit, used > limit && closed !== false);
        if (active !== null) add('activeDecodeBlocks', active, limit, active > limit && closed !== false);
        if (closed === true && !results.some((r) => isBlocks(r) && r.exceeded)) {
          add('latch', Math.max(used ?? 0, active ?? 0), limit, true);
        }
        break;
      }
    }
  }
  return results;
}

function isBlocks(result: CheckResult): boolean {
  return result.check === 'kvUsedBlocks' || result.check === 'activeDecodeBlocks';
}
