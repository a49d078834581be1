import type { LoadReported } from '../core/fleet-event.js';
import type { LoadPolicy } from '../core/load-policy.js';
import { DecodeFailure } from './decode-error.js';
import { walkEnvelope, type WalkedEnvelope } from './envelope-walker.js';
import { LearnedLayouts } from './learned-layouts.js';
import { decodeLegacyLoad, isJson } from './legacy-load.js';

/** Finds the values of load messages: by a shape seen before, else by walking. Both decoders stand on it. */
export class LoadWalker {
  /** Envelopes that took the fast way, and those that were walked. */
  fast = 0;
  walked = 0;
  private readonly layouts = new LearnedLayouts();

  constructor(private readonly policy: LoadPolicy) {}

  /** Where the values of a message of a known shape lie, or `undefined` for another one. */
  match(bytes: Uint8Array): WalkedEnvelope | undefined {
    const known = this.layouts.match(bytes);
    if (known !== undefined) this.fast += 1;
    return known;
  }

  /**
   * Walks an envelope and learns its shape, or reads a JSON load.
   *
   * @throws DecodeFailure, inside this room
   */
  walk(bytes: Uint8Array): WalkedEnvelope | LoadReported {
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
    const walked = walkEnvelope(bytes, this.policy.wire);
    this.layouts.learn(bytes, walked);
    return walked;
  }
}
