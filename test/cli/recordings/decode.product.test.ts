import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/root.js';
import { jsonLines, runCli } from '../../support/run-cli.js';
import { envelopeVectors, loadVectors } from '../../support/vectors.js';

const captures = join(root, 'test/fixtures/captures');
const EB = envelopeVectors.EB.head_hex + loadVectors.B.hex;
const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const decode = async (input: string, ...args: string[]): Promise<Record<string, unknown>[]> =>
  jsonLines((await runCli(['decode', ...args], { input })).out);

describe('tidemark decode', () => {
  it('prints a load as a recorded event, with publisher, sequence number and time; ids are strings', async () => {
    expect(await decode(line({ subject: 'namespace.dynamo.kv_metrics', payload_hex: EB }))).toEqual([
      {
        kind: 'load',
        workerId: '7587888657184927289',
        dpRank: 0,
        activeDecodeBlocks: 42,
        activePrefillTokens: 1024,
        kvUsedBlocks: null,
        publisherId: '7587888657184927289',
        sequence: 300,
        publishedAt: 1700000000000,
      },
    ]);
  });

  it('prints instances, models with runtimeConfig and lora, removals, leases and unknown records in order', async () => {
    const value = (text: string): string => Buffer.from(text).toString('hex');
    const modelCard =
      '{"name":"m","endpoint":{"namespace":"a","component":"b","name":"c"},"runtime_config":{"total_kv_blocks":18446744073709551615}}';
    const key = 'v1/mdc/a/b/c/694d988806b92e39';
    const records = await decode(
      line({
        kvs: [
          { key: 'models/x', value_hex: value(modelCard), lease_hex: '694d988806b92e39' },
          { key: `${key}/lora-a`, value_hex: value('{"runtime_config":{"data_parallel_size":2}}') },
        ],
      }) +
        line({ key, value_hex: '' }) +
        line({ type: 'DELETE', key: 'v1/instances/a/b/c/7', value_hex: '', lease_hex: '0' }) +
        line({ key: 'elsewhere', value_hex: '00' }),
    );
    expect(records).toMatchObject([
      {
        kind: 'model',
        namespace: 'a',
        component: 'b',
        endpoint: 'c',
        instanceId: '7587888657184927289',
        lora: null,
        runtimeConfig: { totalKvBlocks: '18446744073709551615' },
      },
      { kind: 'model', lora: 'lora-a', runtimeConfig: { dataParallelSize: 2 } },
      { kind: 'model', instanceId: '7587888657184927289', removed: true },
      { kind: 'instance', instanceId: '7', removed: true },
      { kind: 'unknown' },
    ]);
  });

  it('prints an error in place of an item that cannot be decoded, and continues', async () => {
    const subject = 'namespace.dynamo.kv_metrics';
    const results = await decode(
      line({ subject, payload_hex: EB.slice(0, -2) }) +
        'nonsense\n' +
        '[1]\n' +
        line({ subject, payload_hex: 'xy' }) +
        line({ key: 'v1/instances/a', value_hex: '' }) +
        '\n' +
        line({ subject, payload_hex: EB }),
    );
    expect(
      results.map((item) => (item['error'] as { code: string } | undefined)?.code ?? item['kind']),
    ).toEqual(['truncated', 'malformed', 'malformed', 'malformed', 'bad-key', 'load']);
    expect(results[0]).toMatchObject({
      error: { offset: expect.any(Number) as number, message: expect.any(String) as string },
    });
  });

  it('prints other subjects and topics as unknown', async () => {
    const foreign = EB.replace('6b765f6d657472696373', '6b762d6d657472696373');
    expect(
      await decode(
        line({ subject: '$SRV.STATS.x', payload_hex: '7b7d' }) +
          line({ subject: 'namespace.dynamo.kv_metrics', payload_hex: foreign }),
      ),
    ).toEqual([{ kind: 'unknown' }, { kind: 'unknown' }]);
  });

  it('--policy decides which messages are accepted', async () => {
    const input = line({
      subject: 'namespace.dynamo.kv_metrics',
      payload_hex: Buffer.from('{"worker_id":7}').toString('hex'),
    });
    expect(await decode(input, '--policy', 'dynamo-1.6')).toMatchObject([
      { error: { code: 'unsupported-format' } },
    ]);
    expect(await decode(input)).toMatchObject([{ kind: 'load', workerId: '7' }]);
  });

  it('a missing file: exit code 2 and one sentence', async () => {
    expect(await runCli(['decode', 'missing.jsonl'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^tidemark: Cannot read missing\.jsonl: .*check the path\.\n$/) as string,
    });
  });

  const files = readdirSync(captures, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.jsonl') && !/(?:_oracle|aggregator|srv)\.jsonl$/.test(name),
  );
  it('decodes every capture of nine releases without an error', async () => {
    const input = files.map((name) => readFileSync(join(captures, name), 'utf8').trim()).join('\n');
    const { code, out, err } = await runCli(['decode'], { input });
    const kinds = new Map<unknown, number>();
    for (const { kind } of jsonLines(out)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    expect([...kinds.keys()].sort()).toEqual(['eventChannel', 'instance', 'load', 'model', 'unknown']);
    expect(kinds.get('load')).toBeGreaterThan(200);
    expect(code).toBe(0);
    expect(err).toMatch(
      /decoded under default: \d+ eventChannel, \d+ instance, \d+ load, \d+ model, \d+ unknown/,
    );
  });
});
