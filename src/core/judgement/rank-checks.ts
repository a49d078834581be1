import { type Count, MAX_U64 } from '../count.js';
import { jsonReady } from '../ordinary-value.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import type { RankState } from './rank-state.js';

/** A check that can make a rank busy. `latch`: no block count is above the threshold now, but the latch is still closed. */
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

/** The limit of blocks of a rank, computed in binary64 as the original does. A value equal to the limit is not above it. */
export function decodeLimit(fraction: number, totalKvBlocks: Count): number {
  return fraction * Number(totalKvBlocks);
}

/**
 * The limit of prefill tokens as a fraction of the batch limit: the product in binary64, truncated to a whole number
 * from 0 to 2^64 − 1 as Rust casts it.
 */
export function prefillLimit(fraction: number, maxNumBatchedTokens: Count | null): Count {
  const product = fraction * Number(maxNumBatchedTokens ?? DEFAULT_BATCH_TOKENS);
  if (Number.isNaN(product) || product <= 0) return 0;
  if (product >= 2 ** 64) return MAX_U64;
  const truncated = Math.trunc(product);
  return Number.isSafeInteger(truncated) ? truncated : BigInt(truncated);
}

/**
 * The checks of one rank that can be made, in the order tokens, fraction, blocks. A check is absent when its threshold is
 * off, when the rank has no such value, or when the rank's total blocks are unknown or 0.
 */
export function rankChecks(rank: RankState, thresholds: LoadThresholds, policy: LoadPolicy): CheckResult[] {
  const results: CheckResult[] = [];
  const tokens = rank.activePrefillTokens;
  const add = (check: LoadCheck, value: Count, limit: Count, exceeded = value > limit): void => {
    results.push(jsonReady({ check, value, limit, exceeded }, [value, limit]));
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
