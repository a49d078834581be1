import type { Count } from '../../core/count.js';
import { DecodeFailure } from '../decode-error.js';

/** The position of a value. A `width` of 0 means nil or absent. */
export interface ValueSpan {
  readonly offset: number;
  readonly width: 0 | 1 | 2 | 4 | 8;
  /** The bits of the first byte that belong to the form and not to the value: the sign, or the marker bit of a fixint. */
  readonly fixed: 0 | 0x80;
}

/** The position of a value that is nil or absent. */
export const noSpan: ValueSpan = { offset: 0, width: 0, fixed: 0 };

/** Bytes that may differ between messages of one shape: from `start` to `end`, except the bits in `fixed`. */
export interface FreeBytes {
  readonly start: number;
  readonly end: number;
  readonly fixed: number;
}

/** A run of bytes inside the message. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const WIDTHS = [1, 2, 4, 8] as const;

/**
 * Reads MessagePack in order and by type, like `rmp-serde`: an integer field accepts any integer that is not negative,
 * whatever its width, and a key may be a string, binary or an unsigned integer. `free` collects the bytes that carry
 * values.
 *
 * A length beyond the remaining bytes is a failure and allocates nothing.
 */
export class MsgpackReader {
  offset: number;
  readonly free: FreeBytes[] = [];

  constructor(
    readonly bytes: Uint8Array,
    start = 0,
    readonly end = bytes.length,
  ) {
    this.offset = start;
  }

  /** Reads the marker of a map or an array, and its number of entries or elements. */
  structure(what: string): { readonly form: 'map' | 'array'; readonly size: number } {
    const at = this.offset;
    const marker = this.marker();
    if (marker >= 0x80 && marker <= 0x8f) return { form: 'map', size: marker & 0x0f };
    if (marker >= 0x90 && marker <= 0x9f) return { form: 'array', size: marker & 0x0f };
    if (marker === 0xde || marker === 0xdf)
      return { form: 'map', size: this.length(marker === 0xde ? 2 : 4) };
    if (marker === 0xdc || marker === 0xdd)
      return { form: 'array', size: this.length(marker === 0xdc ? 2 : 4) };
    throw new DecodeFailure('wrong-type', `${what} must be a map or an array, not ${formatName(marker)}`, at);
  }

  /** Reads a string or binary, without decoding it. */
  text(what: string): ByteRange {
    const at = this.offset;
    const marker = this.marker();
    const text = this.textAfter(marker);
    if (text !== undefined) return text;
    throw new DecodeFailure(
      'wrong-type',
      `${what} must be a string or binary, not ${formatName(marker)}`,
      at,
    );
  }

  /**
   * A key of a struct: the name of a field, or its index, which is exact up to 2^53 − 1. In a signed encoding even a
   * positive integer is no index: serde takes unsigned ones only. A key belongs to the form of a message.
   */
  key(what: string): ByteRange | number {
    const at = this.offset;
    const marker = this.marker();
    if (marker <= 0x7f) return marker;
    if (marker >= 0xcc && marker <= 0xcf) return this.length(WIDTHS[marker - 0xcc] ?? 1);
    const name = this.textAfter(marker);
    if (name !== undefined) return name;
    const text = `${what} must be a string, binary or an unsigned integer, not ${formatName(marker)}`;
    throw new DecodeFailure('wrong-type', text, at);
  }

  /** Reads an unsigned integer of any width. */
  uint(what: string): ValueSpan {
    const at = this.offset;
    const marker = this.marker();
    if (marker <= 0x7f) return this.addFree({ offset: at, width: 1, fixed: 0x80 });
    if (marker >= 0xcc && marker <= 0xcf) return this.wide(WIDTHS[marker - 0xcc] ?? 1, 0);
    if (marker >= 0xd0 && marker <= 0xd3) {
      const span = this.wide(WIDTHS[marker - 0xd0] ?? 1, 0x80);
      if ((this.bytes[span.offset] ?? 0) >= 0x80)
        throw new DecodeFailure('out-of-range', `${what} is negative`, at);
      return span;
    }
    if (marker >= 0xe0) throw new DecodeFailure('out-of-range', `${what} is negative`, at);
    throw new DecodeFailure('wrong-type', `${what} must be an integer, not ${formatName(marker)}`, at);
  }

  /** Reads an unsigned integer of any width, or nil. */
  optionalUint(what: string): ValueSpan {
    if (this.bytes[this.offset] !== 0xc0 || this.offset >= this.end) return this.uint(what);
    this.offset += 1;
    return noSpan;
  }

  /** Skips one value of any type and depth, without recursion. */
  skip(): void {
    for (let left = 1; left > 0; left -= 1) {
      const at = this.offset;
      const marker = this.marker();
      if (marker <= 0x7f) this.free.push({ start: at, end: at + 1, fixed: 0x80 });
      else if (marker <= 0x8f) left += 2 * (marker & 0x0f);
      else if (marker <= 0x9f) left += marker & 0x0f;
      else if (marker <= 0xbf) this.skipBytes(marker & 0x1f);
      else if (marker === 0xc1)
        throw new DecodeFailure('malformed', 'the byte 0xc1 is not a valid marker', at);
      else if (marker <= 0xc3) continue;
      else if (marker <= 0xc6) this.skipBytes(this.length(WIDTHS[marker - 0xc4] ?? 1));
      else if (marker <= 0xc9) this.skipBytes(this.length(WIDTHS[marker - 0xc7] ?? 1) + 1);
      else if (marker <= 0xcb) this.skipBytes(marker === 0xca ? 4 : 8);
      else if (marker <= 0xd3) this.skipBytes(WIDTHS[(marker - 0xcc) & 3] ?? 1);
      else if (marker <= 0xd8) this.skipBytes(1 + 2 ** (marker - 0xd4));
      else if (marker <= 0xdb) this.skipBytes(this.length(WIDTHS[marker - 0xd9] ?? 1));
      else if (marker <= 0xdd) left += this.length(marker === 0xdc ? 2 : 4);
      else if (marker <= 0xdf) left += 2 * this.length(marker === 0xde ? 2 : 4);
      else this.free.push({ start: at, end: at + 1, fixed: 0xe0 });
      if (left - 1 > this.end - this.offset) this.truncated();
    }
  }

  /** Ignores all bytes after the document. */
  finish(): void {
    if (this.offset < this.end) this.free.push({ start: this.offset, end: this.end, fixed: 0 });
  }

  private marker(): number {
    if (this.offset >= this.end) this.truncated();
    const marker = this.bytes[this.offset] ?? 0;
    this.offset += 1;
    return marker;
  }

  private textAfter(marker: number): ByteRange | undefined {
    if (marker >= 0xa0 && marker <= 0xbf) return this.take(marker & 0x1f);
    if (marker >= 0xc4 && marker <= 0xc6) return this.take(this.length(WIDTHS[marker - 0xc4] ?? 1));
    if (marker >= 0xd9 && marker <= 0xdb) return this.take(this.length(WIDTHS[marker - 0xd9] ?? 1));
    return undefined;
  }

  private length(width: 1 | 2 | 4 | 8): number {
    const { start } = this.take(width);
    let length = 0;
    for (let i = 0; i < width; i += 1) length = length * 256 + (this.bytes[start + i] ?? 0);
    return length;
  }

  private take(size: number): ByteRange {
    const start = this.offset;
    if (size > this.end - start) this.truncated();
    this.offset = start + size;
    return { start, end: this.offset };
  }

  private skipBytes(size: number): void {
    const { start, end } = this.take(size);
    if (size > 0) this.free.push({ start, end, fixed: 0 });
  }

  private wide(width: 1 | 2 | 4 | 8, fixed: 0 | 0x80): ValueSpan {
    return this.addFree({ offset: this.take(width).start, width, fixed });
  }

  private addFree(span: ValueSpan): ValueSpan {
    this.free.push({ start: span.offset, end: span.offset + 1, fixed: span.fixed });
    if (span.width > 1) this.free.push({ start: span.offset + 1, end: span.offset + span.width, fixed: 0 });
    return span;
  }

  private truncated(): never {
    throw new DecodeFailure('truncated', 'the message ends before its last value', this.end);
  }
}

function formatName(marker: number): string {
  if (marker <= 0x7f || (marker >= 0xcc && marker <= 0xcf)) return 'an unsigned integer';
  if (marker >= 0xe0 || (marker >= 0xd0 && marker <= 0xd3)) return 'a signed integer';
  if (marker <= 0x8f || marker === 0xde || marker === 0xdf) return 'a map';
  if (marker <= 0x9f || marker === 0xdc || marker === 0xdd) return 'an array';
  if (marker <= 0xbf || (marker >= 0xd9 && marker <= 0xdb)) return 'a string';
  if (marker === 0xc0) return 'nil';
  if (marker === 0xc2 || marker === 0xc3) return 'a boolean';
  if (marker >= 0xc4 && marker <= 0xc6) return 'binary';
  return marker === 0xca || marker === 0xcb
    ? 'a float'
    : marker === 0xc1
      ? 'an invalid marker'
      : 'an extension';
}

const MAX_SAFE_HIGH = 0x1f_ffff;

/** The unsigned integer at a position of width 1 to 8. */
export function readSpan(bytes: Uint8Array, { offset, width }: ValueSpan): Count {
  if (width === 8) {
    const high = readU32(bytes, offset);
    const low = readU32(bytes, offset + 4);
    return high <= MAX_SAFE_HIGH ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low);
  }
  if (width === 4) return readU32(bytes, offset);
  const first = bytes[offset] ?? 0;
  return width === 2 ? first * 256 + (bytes[offset + 1] ?? 0) : first;
}

/** The big-endian unsigned 32-bit integer at an offset. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}
