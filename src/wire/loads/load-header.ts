import { noSpan, type ValueSpan } from '../msgpack/msgpack-reader.js';
import type { EnvelopeSpans, LoadSpans } from './envelope.js';

/**
 * The publisher, sequence number, time, worker and rank of a message, as numbers only so that reading them allocates
 * nothing.
 *
 * 1. The decoder reuses the object: copy it to keep it.
 * 2. For a message without an envelope, such as JSON of 0.8, `present` is false and the numbers are 0.
 * 3. If the payload could not be decoded, `hasLoad` is false, and the worker and the rank are 0.
 * 4. `sequence` and `publishedAt` are exact up to 2^53 − 1 and rounded above. The ids are always exact.
 */
export interface LoadHeader {
  readonly present: boolean;
  /** The upper 32 bits of the publisher's id, signed, as `| 0` gives them. */
  readonly publisherHigh: number;
  /** The lower 32 bits of the publisher's id, signed. */
  readonly publisherLow: number;
  /** The publisher's sequence number, from 0. */
  readonly sequence: number;
  /** The publisher's wall clock, in Unix milliseconds. */
  readonly publishedAt: number;
  /** Whether the worker and the rank are known. */
  readonly hasLoad: boolean;
  /** The upper 32 bits of the worker's id, signed. */
  readonly workerHigh: number;
  /** The lower 32 bits of the worker's id, signed. */
  readonly workerLow: number;
  readonly dpRank: number;
}

/**
 * A {@link LoadHeader} that reads messages. Numbers above 31 bits are passed in fields, because each would be
 * allocated if a function returned it.
 */
export class LoadHeaderReader implements LoadHeader {
  present = false;
  publisherHigh = 0;
  publisherLow = 0;
  sequence = 0;
  publishedAt = 0;
  hasLoad = false;
  workerHigh = 0;
  workerLow = 0;
  dpRank = 0;
  private high = 0;
  private low = 0;

  /** Reads the header and the load at these positions; `null` means that there is none. */
  read(bytes: Uint8Array, spans: EnvelopeSpans | null, load: LoadSpans | null): this {
    this.present = spans !== null;
    this.take(bytes, spans === null ? noSpan : spans.publisherId);
    this.publisherHigh = this.high;
    this.publisherLow = this.low;
    this.take(bytes, spans === null ? noSpan : spans.sequence);
    this.sequence = (this.high >>> 0) * 2 ** 32 + (this.low >>> 0);
    this.take(bytes, spans === null ? noSpan : spans.publishedAt);
    this.publishedAt = (this.high >>> 0) * 2 ** 32 + (this.low >>> 0);
    const from = spans?.gathered ?? bytes;
    this.hasLoad = load !== null;
    this.take(from, load === null ? noSpan : load.workerId);
    this.workerHigh = this.high;
    this.workerLow = this.low;
    this.take(from, load === null ? noSpan : load.dpRank);
    this.dpRank = this.low >>> 0;
    return this;
  }

  private take(bytes: Uint8Array, { offset, width }: ValueSpan): void {
    this.high = width === 8 ? readI32(bytes, offset) : 0;
    this.low =
      width >= 4
        ? readI32(bytes, offset + width - 4)
        : width === 2
          ? ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)
          : width === 1
            ? (bytes[offset] ?? 0)
            : 0;
  }
}

/** Like `readU32`, but signed, which avoids allocations in the hot path. */
function readI32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}
