import type { LoadThresholds } from '../../core/load-thresholds.js';
import { serdeFloat } from './serde-float.js';

/** The marks of one model as Dynamo writes them, byte for byte; without any, every mark is null. */
export function thresholdAnswer(model: string, marks: LoadThresholds | undefined): string {
  const float = (value: number | null | undefined): string => (value == null ? 'null' : serdeFloat(value));
  const tokens = marks?.activePrefillTokensThreshold ?? null;
  return (
    `{"model":${JSON.stringify(model)}` +
    `,"active_decode_blocks_threshold":${float(marks?.activeDecodeBlocksThreshold)}` +
    `,"active_prefill_tokens_threshold":${tokens}` +
    `,"active_prefill_tokens_threshold_frac":${float(marks?.activePrefillTokensThresholdFrac)}}`
  );
}
