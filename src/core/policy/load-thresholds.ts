import type { Count } from '../count.js';
import { jsonReady } from '../ordinary-value.js';

/**
 * The three thresholds of a rank. `null` turns a check off.
 *
 * A rank is busy when at least one value is strictly above its limit.
 */
export interface LoadThresholds {
  /** Decode blocks, as a fraction of the rank's total KV blocks, 0 to 1. */
  readonly activeDecodeBlocksThreshold: number | null;
  /** Prefill tokens as an absolute number, 0 to 2^64 − 1. */
  readonly activePrefillTokensThreshold: Count | null;
  /** Prefill tokens, as a fraction of the batch limit (10 000 000 tokens when that is unknown), 0 or above. */
  readonly activePrefillTokensThresholdFrac: number | null;
}

/** The names of the thresholds. */
export const thresholdNames = [
  'activeDecodeBlocksThreshold',
  'activePrefillTokensThreshold',
  'activePrefillTokensThresholdFrac',
] as const satisfies readonly (keyof LoadThresholds)[];

/** Only the thresholds of an object that also has other properties. */
export function pickThresholds<T extends Readonly<Record<keyof LoadThresholds, unknown>>>(
  source: T,
): Pick<T, keyof LoadThresholds> {
  const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
    source;
  return jsonReady({
    activeDecodeBlocksThreshold,
    activePrefillTokensThreshold,
    activePrefillTokensThresholdFrac,
  });
}

/** A change of some thresholds. An absent or `undefined` field is not changed; the policy decides what `null` means. */
export type LoadThresholdUpdate = {
  readonly [Name in keyof LoadThresholds]?: LoadThresholds[Name] | undefined;
};
