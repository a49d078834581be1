import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { DecodeFailure } from '../decode-error.js';
import {
  type EnvelopeSpans,
  type LoadSpans,
  type WalkedEnvelope,
  isLoadTopic,
  walkHead,
  walkPayload,
} from './envelope.js';
import { decodeJsonLoad, isJson } from './json-load.js';
import { type LoadHeader, LoadHeaderReader } from './load-header.js';

/** The shape of a message that was walked: its bytes, a mask of those that are not values, and the positions of values. */
interface Layout {
  readonly words: Int32Array;
  readonly mask: Int32Array;
  readonly walked: WalkedEnvelope;
}

const MAX_MESSAGE_BYTES = 4096;
const MAX_SHAPES_PER_LENGTH = 8;
const MAX_SHAPES = 512;

/**
 * The shapes of messages seen so far. A message matches a shape if all bytes that are not values are equal. Its values
 * then have the same positions, and it does not have to be walked.
 *
 * Shapes are learned from messages that the walker accepted, so messages of newer releases become fast as well.
 * Memory is bounded: at most 512 shapes of up to 4 096 bytes, and 8 for each length. The oldest shape is replaced.
 */
class LearnedLayouts {
  private readonly byLength = new Map<number, Layout[]>();
  /** The same lists, indexed by length, for a fast lookup. */
  private readonly lists: (Layout[] | undefined)[] = new Array<undefined>(MAX_MESSAGE_BYTES + 1).fill(
    undefined,
  );
  private shapes = 0;
  private readonly scratch = new Uint8Array(MAX_MESSAGE_BYTES);
  private readonly scratchWords = new Int32Array(this.scratch.buffer);

  /** The result of walking this message, or `undefined` if its shape is unknown. */
  match(bytes: Uint8Array): WalkedEnvelope | undefined {
    const layouts = this.lists[bytes.length];
    if (layouts === undefined) return undefined;
    // The last word may contain bytes of an older message, which the mask excludes.
    this.scratch.set(bytes);
    for (let index = 0; index < layouts.length; index += 1) {
      const layout = layouts[index] as Layout;
      if (isShape(this.scratchWords, layout)) return layout.walked;
    }
    return undefined;
  }

  /** Learns the shape of a message that the walker accepted. */
  learn(bytes: Uint8Array, walked: WalkedEnvelope): void {
    // In the next message, a rank of eight bytes may exceed 32 bits, which only the walker detects.
    if (bytes.length > MAX_MESSAGE_BYTES || walked.gathered !== null || walked.load?.dpRank.width === 8)
      return;
    const count = (bytes.length + 3) >> 2;
    const words = new Int32Array(count);
    const mask = new Int32Array(count);
    const maskBytes = new Uint8Array(mask.buffer);
    new Uint8Array(words.buffer).set(bytes);
    maskBytes.fill(0xff, 0, bytes.length);
    for (const { start, end, fixed } of walked.free) maskBytes.fill(fixed, start, end);
    const layouts = this.byLength.get(bytes.length) ?? [];
    if (layouts.length >= MAX_SHAPES_PER_LENGTH) layouts.shift();
    else this.shapes += 1;
    layouts.push({ words, mask, walked });
    // Moves this length to the end, so that the first one has had no new shape for the longest time.
    this.byLength.delete(bytes.length);
    this.byLength.set(bytes.length, layouts);
    this.lists[bytes.length] = layouts;
    this.forgetOldest();
  }

  private forgetOldest(): void {
    while (this.shapes > MAX_SHAPES) {
      const [oldest] = this.byLength;
      if (oldest === undefined) return;
      this.shapes -= oldest[1].length;
      this.byLength.delete(oldest[0]);
      this.lists[oldest[0]] = undefined;
    }
  }
}

/** Whether a message matches a shape. Four words at a time, because this loop dominates the cost of decoding. */
function isShape(found: Int32Array, { words, mask }: Layout): boolean {
  let at = 0;
  for (; at + 3 < words.length; at += 4) {
    const first = difference(found, words, mask, at) | difference(found, words, mask, at + 1);
    const second = difference(found, words, mask, at + 2) | difference(found, words, mask, at + 3);
    if ((first | second) !== 0) return false;
  }
  for (; at < words.length; at += 1) if (difference(found, words, mask, at) !== 0) return false;
  return true;
}

function difference(found: Int32Array, words: Int32Array, mask: Int32Array, at: number): number {
  return ((found[at] ?? 0) ^ (words[at] ?? 0)) & (mask[at] ?? 0);
}

const NO_BYTES = new Uint8Array(0);

/** Finds the values of load messages, by a known shape or by walking. Both decoders are based on it. */
export class LoadWalker {
  /** The number of envelopes that took the fast path. */
  fast = 0;
  /** The number of envelopes that were walked. */
  walked = 0;
  private readonly layouts = new LearnedLayouts();
  /** The last message and the positions of its header, which is decoded on demand. */
  private lastBytes: Uint8Array = NO_BYTES;
  private lastHeader: EnvelopeSpans | null = null;
  private lastLoad: LoadSpans | null = null;
  private readonly reader = new LoadHeaderReader();

  constructor(private readonly policy: LoadPolicy) {}

  /** The header of the last message. */
  get header(): LoadHeader {
    return this.reader.read(this.lastBytes, this.lastHeader, this.lastLoad);
  }

  /** The positions of the values if the shape of the message is known. */
  match(bytes: Uint8Array): WalkedEnvelope | undefined {
    const known = this.layouts.match(bytes);
    if (known === undefined) return undefined;
    this.fast += 1;
    this.lastBytes = bytes;
    this.lastHeader = known;
    this.lastLoad = known.load;
    return known;
  }

  /**
   * Walks an envelope and learns its shape, or reads a JSON load.
   *
   * @throws DecodeFailure (internal to wire/)
   */
  walk(bytes: Uint8Array): WalkedEnvelope | LoadReceived {
    this.lastHeader = null;
    this.lastLoad = null;
    if (bytes.length === 0) throw new DecodeFailure('empty', 'the message is empty', 0);
    if (isJson(bytes)) return decodeJsonLoad(bytes, this.policy.wire);
    if (!this.policy.wire.formats.includes('envelope')) {
      throw new DecodeFailure(
        'unsupported-format',
        `the policy ${this.policy.name} reads only JSON, but the message is not JSON`,
        0,
      );
    }
    this.walked += 1;
    const header = walkHead(bytes, this.policy.wire);
    this.lastBytes = bytes;
    // A load that cannot be decoded still has a sequence number.
    if (isLoadTopic(bytes, header)) this.lastHeader = header;
    const walked = walkPayload(bytes, header, this.policy.wire);
    this.lastHeader = walked;
    this.lastLoad = walked.load;
    this.layouts.learn(bytes, walked);
    return walked;
  }
}
