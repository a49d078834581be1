import type { WirePolicy } from '../core/load-policy.js';

/** The fields of an `ActiveLoad` in wire order. The last came with release 1.1; before, it is an unknown key. */
export const LOAD_FIELDS = [
  'worker_id',
  'dp_rank',
  'active_decode_blocks',
  'active_prefill_tokens',
  'kv_used_blocks',
] as const;

/** The fields that a release knows: as many as its longest positional form has. */
export function knownLoadFields(wire: WirePolicy): readonly string[] {
  return LOAD_FIELDS.slice(0, Math.max(...wire.positionalFields));
}
