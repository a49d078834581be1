import type { LoadThresholds } from '../core/load-thresholds.js';

/** The marks in force, for people. */
export function marksText(marks: LoadThresholds): string {
  const parts = [
    [marks.activeDecodeBlocksThreshold, ' of the KV blocks'],
    [marks.activePrefillTokensThreshold, ' prefill tokens'],
    [marks.activePrefillTokensThresholdFrac, ' × the batch limit in prefill tokens'],
  ] as const;
  const set = parts.filter(([mark]) => mark !== null).map(([mark, of]) => `${mark}${of}`);
  return set.length === 0 ? 'marks are off' : `marks: ${set.join(', ')}`;
}
