import { describe, expect, it } from 'vitest';
import {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
} from '../../../src/wire/loads/load-encoder.js';
import { hex, hexText } from '../../support/hex.js';
import { envelopeVectors, loadVectors } from '../../support/vectors.js';

describe('load encoder - byte for byte as rmp-serde', () => {
  it.each(Object.entries(loadVectors))('ActiveLoad vector %s', (_, { load, fields, hex: bytes }) => {
    expect(hexText(encodeActiveLoad(load, fields))).toBe(bytes);
  });

  it.each(Object.entries(envelopeVectors))('envelope vector %s', (_, { head, payload, head_hex }) => {
    const inner = loadVectors[payload].hex;
    expect(hexText(encodeEnvelope(head, hex(inner)))).toBe(head_hex + inner);
  });

  it('envelope vector of the upstream test', () => {
    const head = { publisherId: '12345', sequence: 42, publishedAt: 1700000000000, topic: 'test-topic' };
    expect(hexText(encodeEnvelope(head, new TextEncoder().encode('test payload')))).toBe(
      '85ac7075626c69736865725f6964cd3039a873657175656e63652aac7075626c69736865645f6174cf0000018bcfe56800a5746f706963aa746573742d746f706963a77061796c6f6164c40c74657374207061796c6f6164',
    );
  });

  it('widths - every integer has the smallest form, and none becomes a float', () => {
    const widths: [bigint, string][] = [
      [0n, '00'],
      [127n, '7f'],
      [128n, 'cc80'],
      [256n, 'cd0100'],
      [65536n, 'ce00010000'],
      [0xffff_ffffn, 'ceffffffff'],
      [0x1_0000_0000n, 'cf0000000100000000'],
      [0xffff_ffff_ffff_ffffn, 'cfffffffffffffffff'],
    ];
    for (const [value, form] of widths) {
      const load = { ...loadVectors.A.load, activeDecodeBlocks: value };
      expect(hexText(encodeActiveLoad(load, 4))).toBe(loadVectors.A.hex.replace('735ab5', `73${form}b5`));
    }
  });

  it('JSON of 0.8 - ids keep all 64 bits', () => {
    expect(new TextDecoder().decode(encodeActiveLoadJson(loadVectors.B.load))).toBe(
      '{"worker_id":7587888657184927289,"dp_rank":0,"active_decode_blocks":42,"active_prefill_tokens":1024}',
    );
  });
});
