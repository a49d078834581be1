import { describe, expect, it } from 'vitest';
import { policies } from '../../../src/core/policy/policies.js';
import { walkHead, walkPayload } from '../../../src/wire/loads/envelope.js';
import { LoadAccounting } from '../../../src/dynamo/loads/load-accounting.js';
import { LoadDecoder } from '../../../src/wire/loads/load-decoder.js';
import {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
} from '../../../src/wire/loads/load-encoder.js';
import { decodeEnvelope } from '../../support/decode-envelope.js';
import { hex, hexText } from '../../support/hex.js';
import { captureFiles, captureLines, capturedMessages, RELEASES, type CapturedMessage } from '../captures.js';

const messages = capturedMessages();
const isLoad = ({ subject }: CapturedMessage): boolean => subject.endsWith('.kv_metrics');
const isEnvelope = ({ payload }: CapturedMessage): boolean => payload[0] === 0x85;

interface OracleStep {
  readonly op: string;
  readonly payload_hex?: string;
  readonly worker_id?: string | number;
  readonly dp_rank?: number;
  readonly active_decode_blocks?: string | number | null;
  readonly active_prefill_tokens?: string | number | null;
  readonly kv_used_blocks?: string | number | null;
}

describe('captured messages of nine releases', () => {
  it('every kv_metrics message decodes', () => {
    const decoder = new LoadDecoder(policies.default);
    const bad = messages.filter(isLoad).filter(({ payload }) => !('load' in decoder.decode(payload)));
    expect(bad).toEqual([]);
    expect(messages.filter(isLoad).length).toBeGreaterThan(150);
  });

  it.each(RELEASES)('no message of %s is missing, although publishers share ids', (release) => {
    const accounting = new LoadAccounting();
    const decoder = new LoadDecoder(policies.default);
    for (const { payload } of messages.filter((message) => isLoad(message) && message.release === release)) {
      decoder.decode(payload);
      accounting.countLoad(decoder.header, payload.length);
    }
    expect(accounting.snapshot()).toMatchObject({
      sequences: { missing: 0, gaps: 0, late: 0, restarts: 0 },
      publishers: { notAccountable: 0 },
    });
  });

  it('every message of another topic is foreign, with its topic', () => {
    for (const { payload, subject } of messages.filter((message) => !isLoad(message))) {
      expect(new LoadDecoder(policies.default).decode(payload)).toEqual({
        foreignTopic: subject.split('.').at(-1),
      });
    }
  });

  it('every envelope, encoded again, gives the same bytes', () => {
    const envelopes = messages.filter(isEnvelope);
    expect(envelopes.length).toBeGreaterThan(400);
    for (const { payload } of envelopes) {
      const decoded = decodeEnvelope(payload, policies.default);
      if ('error' in decoded) throw new Error(decoded.error.message);
      expect(hexText(encodeEnvelope(decoded, decoded.payload))).toBe(hexText(payload));
    }
  });

  it('every ActiveLoad, encoded again in the layout of its release, gives the same bytes', () => {
    for (const { payload, release } of messages.filter(isLoad).filter(({ release }) => release >= '0.8')) {
      const decoded = new LoadDecoder(policies.default).decode(payload);
      if (!('load' in decoded)) throw new Error(release);
      const { load } = decoded;
      const envelope = decodeEnvelope(payload, policies.default);
      const again =
        'error' in envelope
          ? encodeActiveLoadJson(load)
          : encodeEnvelope(envelope, encodeActiveLoad(load, release < '1.1' ? 4 : 5));
      expect(hexText(again)).toBe(hexText(payload));
    }
  });

  it.each(RELEASES.filter((release) => release >= '0.9'))(
    '%s - after the first message of its shape at least 99 %% of the envelopes take the fast form',
    (release) => {
      const decoder = new LoadDecoder(policies.default);
      const shapes = new Set<string>();
      let repeated = 0;
      for (const { payload } of messages.filter(
        (message) => message.release === release && isEnvelope(message),
      )) {
        const shape = shapeOf(payload);
        if (shapes.has(shape)) repeated += 1;
        shapes.add(shape);
        decoder.decode(payload);
      }
      expect(decoder.fast).toBeGreaterThanOrEqual(0.99 * repeated);
      expect(repeated).toBeGreaterThan(0);
    },
  );

  it.each(['0.8.1', '1.0.1', '1.6.1'])('%s - the values equal those in the black-box cases', (release) => {
    const steps = captureFiles('monitor_oracle.jsonl')
      .filter((file) => file.startsWith(release))
      .flatMap((file) => captureLines<{ steps: OracleStep[] }>(file))
      .flatMap(({ steps }) => steps.filter((step) => step.op === 'event' && step.payload_hex !== undefined));
    expect(steps.length).toBeGreaterThan(200);
    const decoder = new LoadDecoder(policies.default);
    const text = (value: number | bigint | string | null | undefined): string | null =>
      value == null ? null : String(value);
    for (const step of steps) {
      const decoded = decoder.decode(hex(step.payload_hex ?? ''));
      if (!('load' in decoded)) throw new Error(step.payload_hex);
      const { workerId, dpRank, activeDecodeBlocks, activePrefillTokens, kvUsedBlocks } = decoded.load;
      expect([
        workerId,
        dpRank,
        text(activeDecodeBlocks),
        text(activePrefillTokens),
        text(kvUsedBlocks),
      ]).toEqual([
        text(step.worker_id),
        step.dp_rank ?? 0,
        text(step.active_decode_blocks),
        text(step.active_prefill_tokens),
        text(step.kv_used_blocks),
      ]);
    }
  });
});

/** A message with its values blanked: what two messages of one shape have in common. */
function shapeOf(payload: Uint8Array): string {
  const blank = Uint8Array.from(payload);
  const { wire } = policies.default;
  for (const { start, end, fixed } of walkPayload(payload, walkHead(payload, wire), wire).free) {
    for (let i = start; i < end; i += 1) blank[i] = (blank[i] ?? 0) & fixed;
  }
  return hexText(blank);
}
