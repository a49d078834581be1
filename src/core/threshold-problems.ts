import type { LoadPolicy } from './load-policy.js';
import type { LoadThresholdUpdate } from './load-thresholds.js';
import { rustFloat } from './rust-float.js';

const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/**
 * What a policy refuses in a change of marks: a sentence each, without full stop. Empty when it accepts all.
 *
 * 1. `activeDecodeBlocksThreshold`: between 0 and 1.
 * 2. `activePrefillTokensThreshold`: a whole number of 0 to 2^64 − 1.
 * 3. `activePrefillTokensThresholdFrac`: finite, 0 and above.
 * 4. By the `thresholdValidation` cell nothing is checked, the first problem is told, or all at once.
 *
 * The sentences on fractions are Dynamo's own (1.4 and later).
 */
export function thresholdProblems(change: LoadThresholdUpdate, policy: LoadPolicy): string[] {
  if (policy.thresholdValidation === 'none') return [];
  const problems: string[] = [];
  const decode = change.activeDecodeBlocksThreshold;
  const tokens = change.activePrefillTokensThreshold;
  const frac = change.activePrefillTokensThresholdFrac;
  if (decode != null && !(decode >= 0 && decode <= 1)) {
    problems.push(`active_decode_blocks_threshold must be between 0.0 and 1.0, got ${rustFloat(decode)}`);
  }
  if (tokens != null && !isU64(tokens)) {
    problems.push(
      `active_prefill_tokens_threshold must be a whole number from 0 to ${MAX_U64}, got ${tokens}`,
    );
  }
  if (frac != null && !(Number.isFinite(frac) && frac >= 0)) {
    problems.push(
      `active_prefill_tokens_threshold_frac must be a finite value greater than or equal to 0.0, got ${rustFloat(frac)}`,
    );
  }
  return policy.thresholdValidation === 'first-problem' ? problems.slice(0, 1) : problems;
}

function isU64(value: number | bigint): boolean {
  return typeof value === 'bigint'
    ? value >= 0n && value <= MAX_U64
    : Number.isSafeInteger(value) && value >= 0;
}
