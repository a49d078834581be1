import type { Count } from '../core/count.js';
import type { ValueSpan } from './msgpack-reader.js';

const MAX_SAFE_HIGH = 0x1f_ffff;

/** The unsigned integer that lies in a span of width 1 to 8. */
export function spanValue(bytes: Uint8Array, { offset, width }: ValueSpan): Count {
  if (width === 8) {
    const high = u32(bytes, offset);
    const low = u32(bytes, offset + 4);
    return high <= MAX_SAFE_HIGH ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low);
  }
  if (width === 4) return u32(bytes, offset);
  const first = bytes[offset] ?? 0;
  return width === 2 ? first * 256 + (bytes[offset + 1] ?? 0) : first;
}

/** The unsigned 32-bit integer, big-endian, at a place. */
export function u32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}
