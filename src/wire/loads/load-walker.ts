import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { DecodeFailure } from '../decode-error.js';
import { type EnvelopeSpans, type WalkedEnvelope, isLoadTopic, walkHead, walkPayload } from './envelope.js';
import { decodeJsonLoad, isJson } from './json-load.js';
import { type LoadHeader, LoadHeaderReader } from './load-header.js';

/** A shape of message that was walked once: its bytes, which of them are form, and where its values lie. */
interface Layout {
  readonly words: Int32Array;
  readonly mask: Int32Array;
  readonly walked: WalkedEnvelope;
}

const MAX_MESSAGE_BYTES = 4096;
const MAX_SHAPES_PER_LENGTH = 8;
const MAX_SHAPES = 512;

/**
 * The shapes of messages seen so far. A message whose every byte that is no value equals a known shape's is that
 * shape, so its values lie where the shape's lay and nothing needs to be walked.
 *
 * Shapes are learned from what the walker accepted, so a newer fleet's messages become fast by themselves.
 * Memory is bounded: 512 shapes of at most 4 096 bytes, 8 for each length, the oldest replaced.
 */
export class LearnedLayouts {
  private readonly byLength = new Map<number, Layout[]>();
  /** The same lists, at the place of their length: the way in for every message. */
  private readonly lists: (Layout[] | undefined)[] = new Array<undefined>(MAX_MESSAGE_BYTES + 1).fill(
    undefined,
  );
  private shapes = 0;
  private readonly scratch = new Uint8Array(MAX_MESSAGE_BYTES);
  private readonly scratchWords = new Int32Array(this.scratch.buffer);

  /** What the walker would find in this message, or `undefined` when its shape is not known. */
  match(bytes: Uint8Array): WalkedEnvelope | undefined {
    const layouts = this.lists[bytes.length];
    if (layouts === undefined) return undefined;
    // The last word may end in bytes of an older message; the mask of a layout is clear there.
    this.scratch.set(bytes);
    for (let place = 0; place < layouts.length; place += 1) {
      const layout = layouts[place] as Layout;
      if (isShape(this.scratchWords, layout)) return layout.walked;
    }
    return undefined;
  }

  /** Remembers the shape of a message that the walker accepted. */
  learn(bytes: Uint8Array, walked: WalkedEnvelope): void {
    // A rank in eight bytes may exceed 32 bits in the next message, which only the walker notices.
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
    // A length that is used again moves behind the others, so the first is the one longest without news.
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

/** Whether the words are of a shape. Four at a time: this loop is most of what decoding costs. */
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

/** Finds the values of load messages: by a shape seen before, else by walking. Both decoders stand on it. */
export class LoadWalker {
  /** Envelopes that took the fast way, and those that were walked. */
  fast = 0;
  walked = 0;
  private readonly layouts = new LearnedLayouts();
  /** The last message and where its head lies: nothing is read of it before someone asks. */
  private lastBytes: Uint8Array = NO_BYTES;
  private lastHeader: EnvelopeSpans | null = null;
  private readonly reader = new LoadHeaderReader();

  constructor(private readonly policy: LoadPolicy) {}

  /** The head of the last message, read now. */
  get header(): LoadHeader {
    return this.reader.read(this.lastBytes, this.lastHeader);
  }

  /** Where the values of a message of a known shape lie, or `undefined` for another one. */
  match(bytes: Uint8Array): WalkedEnvelope | undefined {
    const known = this.layouts.match(bytes);
    if (known === undefined) return undefined;
    this.fast += 1;
    this.lastBytes = bytes;
    this.lastHeader = known;
    return known;
  }

  /**
   * Walks an envelope and learns its shape, or reads a JSON load.
   *
   * @throws DecodeFailure, inside this room
   */
  walk(bytes: Uint8Array): WalkedEnvelope | LoadReceived {
    this.lastHeader = null;
    if (bytes.length === 0) throw new DecodeFailure('empty', 'the message is empty', 0);
    if (isJson(bytes)) return decodeJsonLoad(bytes, this.policy.wire);
    if (!this.policy.wire.formats.includes('envelope')) {
      throw new DecodeFailure(
        'unsupported-format',
        `${this.policy.name} reads JSON only, and this is none`,
        0,
      );
    }
    this.walked += 1;
    const header = walkHead(bytes, this.policy.wire);
    this.lastBytes = bytes;
    // A load that cannot be read is still one of its publisher's numbers.
    if (isLoadTopic(bytes, header)) this.lastHeader = header;
    const walked = walkPayload(bytes, header, this.policy.wire);
    this.lastHeader = walked;
    this.layouts.learn(bytes, walked);
    return walked;
  }
}
