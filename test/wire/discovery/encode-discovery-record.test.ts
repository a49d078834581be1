import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf } from '../../../src/core/count.js';
import { workerId } from '../../../src/core/worker-id.js';
import { instanceKey, modelKey } from '../../../src/dynamo/discovery/discovery-keys.js';
import { decodeDiscoveryRecord } from '../../../src/dynamo/discovery/discovery-record.js';
import {
  type ModelFile,
  encodeInstanceRecord,
  encodeModelRecord,
} from '../../../src/wire/discovery/encode-discovery-record.js';
import { toSlug } from '../../../src/wire/text-codecs.js';
import { capturedEntries } from '../captures.js';

interface NamedFile {
  readonly path: string;
  readonly checksum: string;
  readonly size?: number;
}

interface NamedFiles {
  readonly source_path?: string;
  readonly model_info: { readonly hf_config_json: NamedFile };
  readonly tokenizer: { readonly hf_tokenizer_json: NamedFile };
  readonly prompt_formatter: { readonly hf_tokenizer_config_json: NamedFile };
  readonly gen_config: { readonly hf_generation_config_json: NamedFile };
}

const releases = [
  ['0.6', '0.6.0'],
  ['1.0', '1.0.1'],
  ['1.6', '1.6.1'],
] as const;
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('encoding discovery records', () => {
  it.each(releases)(
    'encoding discovery records - instances of %s equal those of the real %s, byte for byte',
    (release, real) => {
      let compared = 0;
      for (const entry of capturedEntries()) {
        const record = decodeDiscoveryRecord(entry);
        if (entry.release !== real || !('kind' in record) || record.kind !== 'instance' || record.removed)
          continue;
        const { transport } = record;
        if (transport === null) throw new Error(entry.key);
        expect(textOf(encodeInstanceRecord({ ...record, transport }, { release }))).toBe(textOf(entry.value));
        compared += 1;
      }
      expect(compared).toBeGreaterThan(10);
    },
  );

  it.each(releases)(
    'encoding discovery records - runtime configs of %s equal those of the real %s',
    (release, real) => {
      let compared = 0;
      for (const entry of capturedEntries()) {
        const record = decodeDiscoveryRecord(entry);
        if (entry.release !== real || !('kind' in record) || record.kind !== 'model' || record.removed)
          continue;
        const { namespace, component, endpoint, instanceId, model, lora, runtimeConfig } = record;
        if (namespace === null || component === null || endpoint === null || instanceId === null)
          throw new Error(entry.key);
        const modelCard = {
          namespace,
          component,
          endpoint,
          instanceId,
          model: model ?? '',
          lora,
          runtimeConfig,
        };
        const encoded = textOf(encodeModelRecord(modelCard, { release }));
        const captured = textOf(entry.value).replace(/"max_num_seqs":\d+/, '"max_num_seqs":null');
        for (const part of [
          /^.*"card_json":\{/,
          /"display_name":"[^"]*","slug":"[^"]*"/,
          /"lora":\{[^}]*\}/,
          /"media_decoder.*$/,
        ]) {
          expect(part.exec(encoded)?.[0]).toBe(part.exec(captured)?.[0]);
        }
        // Mockers write further fields between those of this part.
        if (entry.file.includes('/workers/')) {
          const config = /"kv_cache_block_size.*\}/;
          expect(config.exec(encoded)?.[0]).toBe(config.exec(captured)?.[0]);
        }
        compared += 1;
      }
      expect(compared).toBeGreaterThan(10);
    },
  );

  it.each(releases)(
    'encoding discovery records - a card with files of %s is that of the real %s, byte for byte',
    (release, real) => {
      let compared = 0;
      for (const entry of capturedEntries()) {
        const record = decodeDiscoveryRecord(entry);
        if (entry.release !== real || !entry.file.includes('/workers/')) continue;
        if (!('kind' in record) || record.kind !== 'model' || record.removed || record.lora !== null)
          continue;
        const { namespace, component, endpoint, instanceId, model, runtimeConfig } = record;
        if (namespace === null || component === null || endpoint === null || instanceId === null)
          throw new Error(entry.key);
        const captured = textOf(entry.value);
        // A card of 0.6 has no frame around it.
        const value = JSON.parse(captured) as NamedFiles & { card_json?: NamedFiles };
        const named = value.card_json ?? value;
        const fileOf = ({ path, checksum, size = 0 }: NamedFile): ModelFile => ({
          ...{ path, size },
          blake3: checksum.slice('blake3:'.length),
        });
        const files = {
          sourcePath: named.source_path ?? '',
          config: fileOf(named.model_info.hf_config_json),
          tokenizer: fileOf(named.tokenizer.hf_tokenizer_json),
          tokenizerConfig: fileOf(named.prompt_formatter.hf_tokenizer_config_json),
          generationConfig: fileOf(named.gen_config.hf_generation_config_json),
        };
        const modelCard = {
          namespace,
          component,
          endpoint,
          instanceId,
          model: model ?? '',
          files,
          runtimeConfig,
        };
        expect(textOf(encodeModelRecord(modelCard, { release }))).toBe(
          captured.replace(/"max_num_seqs":\d+/, '"max_num_seqs":null'),
        );
        compared += 1;
      }
      expect(compared).toBeGreaterThan(5);
    },
  );

  it('encoding discovery records - decoding gives back every record, with all 64 bits', () => {
    const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const names = fc.string({ unit: 'binary', minLength: 1 }).filter((name) => !name.includes('/'));
    const address = fc.record({
      namespace: names,
      component: names,
      endpoint: names,
      instanceId: u64.map((n) => workerId(n.toString())),
    });
    const transport = fc.record({ kind: fc.constantFrom('nats_tcp', 'tcp', 'http'), address: fc.string() });
    const config = fc.record({
      totalKvBlocks: u64.map(countOf),
      maxNumBatchedTokens: u64.map(countOf),
      dataParallelStartRank: u32,
      dataParallelSize: u32,
    });
    const role = fc.constantFrom('aggregated', 'decode', 'prefill', 'encode');
    const lora = fc.option(names.filter((name) => toSlug(name) !== ''));
    fc.assert(
      fc.property(
        address,
        transport,
        config,
        fc.record({ role, lora }),
        fc.string(),
        fc.constantFrom('1.0', '1.6'),
        (at, transport, runtimeConfig, { role, lora }, model, release) => {
          const instance = encodeInstanceRecord({ ...at, transport }, { release });
          expect(decodeDiscoveryRecord({ key: instanceKey(at), value: instance })).toEqual({
            kind: 'instance',
            ...at,
            transport,
          });
          const modelCard = encodeModelRecord({ ...at, model, role, lora, runtimeConfig }, { release });
          const key = modelKey({ ...at, lora: lora === null ? null : toSlug(lora) });
          expect(decodeDiscoveryRecord({ key, value: modelCard })).toEqual({
            kind: 'model',
            ...at,
            model,
            lora,
            // Before 1.6 a card says only that its worker is a prefill worker.
            role: release === '1.6' || role === 'prefill' ? role : null,
            needs:
              role === 'prefill' ? [['decode']] : role === 'decode' && release === '1.6' ? [['prefill']] : [],
            runtimeConfig,
          });
        },
      ),
    );
  });

  it.each([
    ['1.0', '1.0.1', /"model_type":"[^"]*"/g],
    ['1.6', '1.6.1', /"model_type":"[^"]*"|"worker_type":.*?\]\]/g],
  ] as const)(
    'encoding discovery records - the role in %s is that of a real fleet',
    (release, real, parts) => {
      let compared = 0;
      for (const entry of capturedEntries()) {
        if (entry.release !== real || !entry.file.includes('/disagg/')) continue;
        const record = decodeDiscoveryRecord(entry);
        if (!('role' in record)) continue;
        const { namespace, component, endpoint, instanceId, model, role, runtimeConfig } = record;
        if (namespace === null || component === null || endpoint === null || instanceId === null)
          throw new Error(entry.key);
        const modelCard = {
          ...{ namespace, component, endpoint, instanceId, runtimeConfig },
          model: model ?? '',
          role: role ?? undefined,
        };
        const encoded = textOf(encodeModelRecord(modelCard, { release }));
        expect(encoded.match(parts)).toEqual(textOf(entry.value).match(parts));
        compared += 1;
      }
      expect(compared).toBeGreaterThan(1);
    },
  );

  it('encoding discovery records - an id above 2^53 is written in full', () => {
    const at = { namespace: 'a', component: 'b', endpoint: 'c', instanceId: workerId('7587888657184927289') };
    const written = ',"instance_id":7587888657184927289,';
    expect(
      textOf(encodeInstanceRecord({ ...at, transport: { kind: 'tcp', address: 'x' } }, { release: '1.0' })),
    ).toContain(written);
    expect(textOf(encodeModelRecord({ ...at, model: 'm', runtimeConfig: {} }, { release: '1.6' }))).toContain(
      written,
    );
  });

  it('encoding discovery records - a LoRA card has the slug of its adapter for a suffix', () => {
    const at = { namespace: 'a', component: 'b', endpoint: 'c', instanceId: workerId('7') };
    const modelCard = encodeModelRecord(
      { ...at, model: 'm', lora: 'My LoRA', runtimeConfig: {} },
      { release: '1.0' },
    );
    expect(textOf(modelCard)).toContain('"lora":{"name":"My LoRA"}');
    expect(textOf(modelCard)).toContain(',"model_suffix":"my_lora"}');
  });

  it('encoding discovery records - what is not known is written as its default', () => {
    const at = { namespace: 'a', component: 'b', endpoint: 'c', instanceId: workerId('7') };
    const value = encodeModelRecord({ ...at, model: 'm', runtimeConfig: {} }, { release: '1.0' });
    expect(decodeDiscoveryRecord({ key: modelKey(at), value })).toMatchObject({
      lora: null,
      runtimeConfig: { dataParallelStartRank: 0, dataParallelSize: 1 },
    });
  });
});
