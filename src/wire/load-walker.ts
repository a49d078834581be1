import type { LoadReported } from '../core/fleet-event.js';
import type { LoadPolicy } from '../core/load-policy.js';
import { DecodeFailure } from './decode-error.js';
import {
  isLoadTopic,
  walkHead,
  walkPayload,
  type WalkedEnvelope,
  type WalkedHead,
} from './envelope-walker.js';
import { LearnedLayouts } from './learned-layouts.js';
import { decodeLegacyLoad, isJson } from './legacy-load.js';
import { HeadReader, type LoadHead } from './load-head.js';

const NOTHING = new Uint8Array(0);

/** Finds the values of load messages: by a shape seen before, else by walking. Both decoders stand on it. */
export class LoadWalker {
  /** Envelopes that took the fast way, and those that were walked. */
  fast = 0;
  walked = 0;
  private readonly layouts = new LearnedLayouts();
  /** The last message and where its head lies: nothing is read of it before someone asks. */
  private lastBytes: Uint8Array = NOTHING;
  private lastHead: WalkedHead | null = null;
  private readonly reader = new HeadReader();

  constructor(private readonly policy: LoadPolicy) {}

  /** The head of the last message, read now. */
  get head(): LoadHead {
    return this.reader.read(this.lastBytes, this.lastHead);
  }

  /** Where the values of a message of a known shape lie, or `undefined` for another one. */
  match(bytes: Uint8Array): WalkedEnvelope | undefined {
    const known = this.layouts.match(bytes);
    if (known === undefined) return undefined;
    this.fast += 1;
    this.lastBytes = bytes;
    this.lastHead = known;
    return known;
  }

  /**
   * Walks an envelope and learns its shape, or reads a JSON load.
   *
   * @throws DecodeFailure, inside this room
   */
  walk(bytes: Uint8Array): WalkedEnvelope | LoadReported {
    this.lastHead = null;
    if (bytes.length === 0) throw new DecodeFailure('empty', 'the message is empty', 0);
    if (isJson(bytes)) return decodeLegacyLoad(bytes, this.policy.wire);
    if (!this.policy.wire.formats.includes('envelope')) {
      throw new DecodeFailure(
        'unsupported-format',
        `${this.policy.name} reads JSON only, and this is none`,
        0,
      );
    }
    this.walked += 1;
    const head = walkHead(bytes, this.policy.wire);
    this.lastBytes = bytes;
    // A load that cannot be read is still one of its publisher's numbers.
    if (isLoadTopic(bytes, head)) this.lastHead = head;
    const walked = walkPayload(bytes, head, this.policy.wire);
    this.lastHead = walked;
    this.layouts.learn(bytes, walked);
    return walked;
  }
}
