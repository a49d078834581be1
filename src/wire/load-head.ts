import type { WalkedHead } from './envelope-walker.js';
import type { ValueSpan } from './msgpack-reader.js';
import { u32 } from './span-value.js';

/**
 * Who published a message, and when: the head of its envelope as numbers only, so that reading it allocates nothing.
 *
 * 1. The object belongs to the decoder and is used again: who needs it longer copies.
 * 2. `present` is false for a message without a head, such as JSON of 0.8, and the numbers are 0 then.
 * 3. `sequence` and `publishedAt` are exact up to 2^53 − 1 and rounded above; the publisher's id is always exact.
 */
export interface LoadHead {
  readonly present: boolean;
  /** The upper 32 bits of the publisher's id, unsigned. */
  readonly publisherHigh: number;
  /** The lower 32 bits of the publisher's id, unsigned. */
  readonly publisherLow: number;
  /** The publisher's running number, from 0. */
  readonly sequence: number;
  /** The publisher's wall clock, Unix milliseconds. */
  readonly publishedAt: number;
}

/** A {@link LoadHead} that reads itself out of messages. */
export class HeadReader implements LoadHead {
  present = false;
  publisherHigh = 0;
  publisherLow = 0;
  sequence = 0;
  publishedAt = 0;

  /** Takes the numbers of a head that lies in these bytes, or none. */
  read(bytes: Uint8Array, head: WalkedHead | null): this {
    this.present = head !== null;
    this.publisherHigh = head === null ? 0 : highOf(bytes, head.publisherId);
    this.publisherLow = head === null ? 0 : lowOf(bytes, head.publisherId);
    this.sequence = head === null ? 0 : numberOf(bytes, head.sequence);
    this.publishedAt = head === null ? 0 : numberOf(bytes, head.publishedAt);
    return this;
  }
}

function highOf(bytes: Uint8Array, { offset, width }: ValueSpan): number {
  return width === 8 ? u32(bytes, offset) : 0;
}

function lowOf(bytes: Uint8Array, { offset, width }: ValueSpan): number {
  if (width === 8) return u32(bytes, offset + 4);
  if (width === 4) return u32(bytes, offset);
  const first = bytes[offset] ?? 0;
  return width === 2 ? first * 256 + (bytes[offset + 1] ?? 0) : first;
}

function numberOf(bytes: Uint8Array, span: ValueSpan): number {
  return highOf(bytes, span) * 2 ** 32 + lowOf(bytes, span);
}
