import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policies, type PolicyName } from '../../../src/core/policy/policies.js';
import { LoadBatchDecoder } from '../../../src/wire/loads/load-batch-decoder.js';
import { LoadDecoder, type DecodedLoad } from '../../../src/wire/loads/load-decoder.js';
import { hex } from '../../support/hex.js';

type Outcome = 'error' | 'foreign' | readonly (string | null)[];
type Message = { readonly hex: string } & { readonly [release in PolicyName | 'all']?: Outcome };

const file = join(import.meta.dirname, '../../fixtures/own/struct-keys.json');
const { messages } = JSON.parse(readFileSync(file, 'utf8')) as { readonly messages: readonly Message[] };
const releases = ['dynamo-1.0', 'dynamo-1.1', 'dynamo-1.4', 'dynamo-1.6'] as const;

function outcomeOf(decoded: DecodedLoad): Outcome {
  if ('error' in decoded) return 'error';
  if ('foreignTopic' in decoded) return 'foreign';
  const { load } = decoded;
  const values = [load.publisherId, load.sequence, load.publishedAt, load.workerId, load.dpRank];
  const optional = [load.activeDecodeBlocks, load.activePrefillTokens, load.kvUsedBlocks];
  return [...values, ...optional].map((value) => (value == null ? null : String(value)));
}

// What the file has was recorded from serde; see there.
describe('names and indices as keys - read as serde reads them', () => {
  it.each(releases)('%s - every message, walked, by its known shape, and into a batch', (release) => {
    const policy = policies[release];
    const learned = new LoadDecoder(policy);
    const batch = new LoadBatchDecoder(policy);
    const wrong = messages.filter((message) => {
      const bytes = hex(message.hex);
      const expected = message[release] ?? message.all;
      const single = [new LoadDecoder(policy).decode(bytes), learned.decode(bytes), learned.decode(bytes)];
      expect(batch.add(bytes) === null).toBe(Array.isArray(expected));
      return single.some((decoded) => JSON.stringify(outcomeOf(decoded)) !== JSON.stringify(expected));
    });
    expect(wrong).toEqual([]);
    expect(learned.fast).toBeGreaterThan(messages.length / 4);
  });

  it('the messages are of every kind', () => {
    const outcomes = messages.flatMap((message) => releases.map((one) => message[one] ?? message.all));
    const loads = outcomes.filter((outcome) => Array.isArray(outcome));
    expect(loads.length).toBeGreaterThan(outcomes.length / 4);
    expect(outcomes.filter((outcome) => outcome === 'error').length).toBeGreaterThan(outcomes.length / 4);
    expect(messages.filter((message) => message.all === undefined).length).toBeGreaterThan(10);
  });
});
