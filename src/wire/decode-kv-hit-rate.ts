import type { KvHitRateEvent } from '../core/aggregator/kv-hit-rate.js';
import { countOf } from '../core/count.js';
import { workerIdFromBigInt } from '../core/worker-id.js';
import { catchDecodeFailure, type DecodeError } from './decode-error.js';
import { requiredField, structObject, u32Field, uintOf } from './json/json-fields.js';
import { parseLosslessJson } from './json/lossless-json.js';

/** The topic of `KVHitRateEvent`, on the events of a namespace: `loadSubject({ namespace }, KV_HIT_RATE_TOPIC)`. */
export const KV_HIT_RATE_TOPIC = 'kv-hit-rate';

const FIELDS = ['worker_id', 'dp_rank', 'isl_blocks', 'overlap_blocks'] as const;
/** Up to 0.6 there is no rank. */
const WITHOUT_RANK = ['worker_id', 'isl_blocks', 'overlap_blocks'] as const;

/**
 * Decodes a `KVHitRateEvent`, by name or by position, of every release that has it (0.1 to 0.9).
 *
 * Unknown keys are ignored; a key that stands twice, a float, a negative number and a field too few are errors. It never
 * throws.
 *
 * @example
 * ```ts
 * import { decodeKvHitRateEvent } from 'tidemark/wire';
 *
 * const text = '{"worker_id":7587888657184927289,"isl_blocks":8,"overlap_blocks":2}';
 * const decoded = decodeKvHitRateEvent(new TextEncoder().encode(text));
 * console.log('event' in decoded && decoded.event.workerId);
 * // Logs: 7587888657184927289
 * ```
 *
 * @see {@link kvHitRate}
 */
export function decodeKvHitRateEvent(
  bytes: Uint8Array,
): { readonly event: KvHitRateEvent } | { readonly error: DecodeError } {
  return catchDecodeFailure(() => {
    const node = parseLosslessJson(bytes);
    const names = node.kind === 'array' && node.items.length === WITHOUT_RANK.length ? WITHOUT_RANK : FIELDS;
    const event = structObject(node, 'a KVHitRateEvent', names);
    const uint = (name: (typeof FIELDS)[number]): bigint => uintOf(requiredField(event, name), name);
    return {
      event: {
        workerId: workerIdFromBigInt(uint('worker_id')),
        dpRank: u32Field(event, 'dp_rank', 0),
        islBlocks: countOf(uint('isl_blocks')),
        overlapBlocks: countOf(uint('overlap_blocks')),
      },
    };
  });
}
