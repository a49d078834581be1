import type { Count } from '../count.js';

/**
 * The three marks a rank can be above. `null`: that check is off.
 *
 * A rank is busy when at least one check that is on finds its value strictly above the limit.
 */
export interface LoadThresholds {
  /** Decode blocks, as a fraction of the rank's total KV blocks, 0 to 1. */
  readonly activeDecodeBlocksThreshold: number | null;
  /** Prefill tokens, absolute, 0 to 2^64 − 1. */
  readonly activePrefillTokensThreshold: Count | null;
  /** Prefill tokens, as a fraction of the batch limit (10 000 000 tokens when that is not known), 0 and above. */
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
  return { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac };
}

/** A change of some marks. A field that is absent or `undefined` stays as it is; `null` is the policy's to read. */
export type LoadThresholdUpdate = {
  readonly [Mark in keyof LoadThresholds]?: LoadThresholds[Mark] | undefined;
};
