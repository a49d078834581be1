import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerId, workerIdFromHex } from '../../../src/core/worker-id.js';
import { decodeDiscoveryRecord } from '../../../src/dynamo/discovery/discovery-record.js';
import { capturedEntries, RELEASES, type CapturedEntry } from '../../wire/captures.js';

const endpointName = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
const id = workerId('7587888657184927289');
const instanceAt = 'v1/instances/dynamo/backend/generate/694d988806b92e39';
const modelAt = 'v1/mdc/dynamo/backend/generate/694d988806b92e39';
const channelAt = 'v1/event_channels/dynamo//kv_metrics/694d988806b92e39';
const entryAt = 'models/a41790b9-3310-4bf3-9e85-5eaf37c37ef2';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (key: string, text: string, lease?: string) =>
  decodeDiscoveryRecord({
    key,
    value: bytes(text),
    lease: lease === undefined ? undefined : workerId(lease),
  });
const model = (modelCard: string, more = ''): string =>
  `{"type":"Model","namespace":"dynamo","component":"backend","endpoint":"generate","instance_id":7587888657184927289,"card_json":${modelCard}${more}}`;

const entries = capturedEntries();
const name = ({ release, key }: CapturedEntry): string => `${release} ${key}`;

describe('captured discovery records', () => {
  it('captured discovery records - cover nine releases, from etcd, its watch and the file backend', () => {
    expect(new Set(entries.map(({ release }) => release))).toEqual(new Set(RELEASES));
    expect(entries.length).toBeGreaterThan(400);
    expect(entries.filter(({ value }) => value.length === 0).length).toBeGreaterThan(40);
  });

  it('captured discovery records - every one is decoded', () => {
    const failures = entries.flatMap((entry) => {
      const record = decodeDiscoveryRecord(entry);
      return 'error' in record ? [`${name(entry)}: ${record.error.message}`] : [];
    });
    expect(failures).toEqual([]);
  });

  it('captured discovery records - only event sources are unknown', () => {
    const unknown = entries.filter((entry) => {
      const record = decodeDiscoveryRecord(entry);
      return 'kind' in record && record.kind === 'unknown';
    });
    expect([...new Set(unknown.map(name))].sort()).toEqual([
      '1.6.1 v1/event_sources/namespace/dynamo/component/backend/endpoint/generate/topic/kv-events/172ac2298f4a8a',
      '1.6.1 v1/event_sources/namespace/dynamo/component/prefill/endpoint/generate/topic/kv-events/1efc8beb17c7ae',
    ]);
  });

  it('captured discovery records - the id in the key is the id in the value, and in 64 bits', () => {
    let compared = 0;
    for (const entry of entries) {
      const stated = /"(?:instance|publisher)_id":\s*([0-9]+)/.exec(Buffer.from(entry.value).toString())?.[1];
      const inKey = /[:/]([0-9a-f]{8,16})(?:\/lora-a)?$/.exec(entry.key)?.[1];
      if (stated === undefined || inKey === undefined) continue;
      expect(workerIdFromHex(inKey), name(entry)).toBe(stated);
      const record = decodeDiscoveryRecord(entry);
      if ('instanceId' in record) expect(record.instanceId, name(entry)).toBe(stated);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(300);
  });

  it('captured discovery records - key and value have the same names', () => {
    let compared = 0;
    for (const entry of entries) {
      const record = decodeDiscoveryRecord(entry);
      if (!('kind' in record) || record.kind === 'unknown' || record.removed || record.namespace === null)
        continue;
      const value = JSON.parse(Buffer.from(entry.value).toString()) as Record<string, unknown>;
      const scope = value['scope'] as
        { endpoint: { namespace: string; component: string; name: string } } | undefined;
      const { namespace, component, endpoint } = record;
      if (scope !== undefined) expect({ namespace, component, name: endpoint }).toEqual(scope.endpoint);
      else if (value['namespace'] !== undefined) {
        expect([namespace, component ?? '', endpoint ?? undefined]).toEqual([
          value['namespace'],
          value['component'],
          value['endpoint'],
        ]);
      } else continue;
      compared += 1;
    }
    expect(compared).toBeGreaterThan(300);
  });

  it('captured discovery records - runtime configs have the values that were set', () => {
    const configs = new Set<string>();
    for (const entry of entries) {
      const record = decodeDiscoveryRecord(entry);
      if (
        !('kind' in record) ||
        record.kind !== 'model' ||
        record.removed ||
        !entry.file.includes('/workers/')
      )
        continue;
      const { totalKvBlocks, maxNumBatchedTokens, dataParallelStartRank, dataParallelSize } =
        record.runtimeConfig;
      configs.add(
        [entry.release, totalKvBlocks, maxNumBatchedTokens, dataParallelStartRank, dataParallelSize].join(
          ' ',
        ),
      );
    }
    expect([...configs].sort()).toEqual([
      '0.5.1 4096   ',
      '0.5.1 4096 2048  ',
      '0.6.0 4096   ',
      '0.6.0 4096 2048  ',
      '0.8.1 4096   2',
      '0.8.1 4096 2048  1',
      '0.9.1 100 2048  2',
      '1.0.1   0 1',
      '1.0.1 100 2048 0 1',
      '1.0.1 200 8192 0 2',
      '1.1.1 100 2048 0 2',
      '1.3.1 100 2048 0 2',
      '1.4.2 100 2048 0 2',
      '1.6.1   0 1',
      '1.6.1 100 2048 0 1',
      '1.6.1 200 8192 0 2',
    ]);
  });

  it('captured discovery records - LoRA cards are distinguished from base cards', () => {
    const cards = new Set<string>();
    for (const entry of entries) {
      const record = decodeDiscoveryRecord(entry);
      if ('kind' in record && record.kind === 'model' && !record.removed) {
        const suffix = entry.key.endsWith('/lora-a');
        cards.add(
          `${suffix ? 'suffix' : 'no suffix'}: ${record.model ?? 'null'}, LoRA ${record.lora ?? 'null'}`,
        );
      }
    }
    expect([...cards].sort()).toEqual([
      'no suffix: /models/tiny-model, LoRA null',
      'no suffix: tiny-model, LoRA null',
      'suffix: lora-a, LoRA lora-a',
    ]);
  });

  it('captured discovery records - transports of every kind are read', () => {
    const kinds = new Set<string>();
    for (const entry of entries) {
      const record = decodeDiscoveryRecord(entry);
      if (!('transport' in record)) continue;
      kinds.add(`${record.kind} ${record.transport?.kind ?? 'null'}`);
      if (record.transport?.kind === 'zmq')
        expect(record.transport.endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
      if (record.transport?.kind === 'nats') expect(record.transport.subjectPrefix).toMatch(/^namespace\./);
      if (record.transport?.kind === 'tcp') expect(record.transport.address).toMatch(/^127\.0\.0\.1:\d+\//);
    }
    expect([...kinds].sort()).toEqual([
      'eventChannel nats',
      'eventChannel zmq',
      'instance nats_tcp',
      'instance tcp',
    ]);
  });

  it('captured discovery records - a watched deletion is known by its key', () => {
    const removed = entries.filter(({ value }) => value.length === 0);
    for (const entry of removed) {
      const added = entries.find(({ key, value }) => key === entry.key && value.length > 0);
      const record = decodeDiscoveryRecord(entry);
      expect(record, name(entry)).toMatchObject({ removed: true });
      if (added === undefined || entry.key.startsWith('models/')) continue;
      const { instanceId, namespace } = record as { instanceId: string; namespace: string };
      expect(decodeDiscoveryRecord(added), name(entry)).toMatchObject({ instanceId, namespace });
    }
  });
});

describe('discovery records', () => {
  it('discovery records - an instance, tagged and bare', () => {
    const rest =
      '"component":"backend","endpoint":"generate","namespace":"dynamo","instance_id":7587888657184927289';
    const instance = { kind: 'instance', ...endpointName, instanceId: id };
    expect(
      decode(instanceAt, `{"type":"Endpoint",${rest},"transport":{"tcp":"10.0.0.5:41000/694d/generate"}}`),
    ).toStrictEqual({
      ...instance,
      transport: { kind: 'tcp', address: '10.0.0.5:41000/694d/generate' },
    });
    expect(
      decode(
        'instances/dynamo/backend/generate:694d988806b92e39',
        `{${rest},"transport":{"nats_tcp":"a.b-c"}}`,
      ),
    ).toStrictEqual({
      ...instance,
      transport: { kind: 'nats_tcp', address: 'a.b-c' },
    });
    expect(
      decode(instanceAt, `{"type":"Endpoint",${rest},"transport":{"http":"http://h:1/v1"}}`),
    ).toMatchObject({
      transport: { kind: 'http', address: 'http://h:1/v1' },
    });
  });

  it('discovery records - a static instance is worker 0', () => {
    const at = 'instances/dynamo/backend/generate';
    expect(decode(at, '{"instance_id":0,"transport":{"nats_tcp":"x"}}', '77')).toMatchObject({
      instanceId: '0',
    });
    expect(decode(at, '', '77')).toStrictEqual({
      kind: 'instance',
      ...endpointName,
      instanceId: '0',
      removed: true,
    });
  });

  it.each([
    '{}',
    '{"transport":null}',
    '{"transport":{"quic":"x"}}',
    '{"transport":"later"}',
    '{"transport":{}}',
  ])('discovery records - the instance %s has no transport that is known', (value) => {
    expect(decode(instanceAt, value)).toMatchObject({ kind: 'instance', instanceId: id, transport: null });
  });

  it('discovery records - a model card, tagged and bare', () => {
    const modelCard =
      '{"display_name":"tiny","runtime_config":{"total_kv_blocks":100,"max_num_batched_tokens":2048,"data_parallel_start_rank":3,"data_parallel_size":2}}';
    const record = {
      kind: 'model',
      ...endpointName,
      instanceId: id,
      model: 'tiny',
      lora: null,
      role: null,
      needs: [],
      runtimeConfig: {
        totalKvBlocks: 100,
        maxNumBatchedTokens: 2048,
        dataParallelStartRank: 3,
        dataParallelSize: 2,
      },
    };
    expect(decode(modelAt, model(modelCard))).toStrictEqual(record);
    expect(decode(modelAt, modelCard)).toStrictEqual(record);
  });

  it('discovery records - a model entry takes its endpoint from the value and its id from the lease', () => {
    const value =
      '{"name":"tiny","endpoint":{"namespace":"dynamo","component":"backend","name":"generate"},"runtime_config":{"total_kv_blocks":24064}}';
    const record = {
      kind: 'model',
      ...endpointName,
      model: 'tiny',
      lora: null,
      role: null,
      needs: [],
      runtimeConfig: { totalKvBlocks: 24064 },
    };
    expect(decode(entryAt, value, '7587888657184927289')).toStrictEqual({ ...record, instanceId: id });
    expect(decode(entryAt, value)).toStrictEqual({ ...record, instanceId: null });
    expect(decode(entryAt, value, '0')).toStrictEqual({ ...record, instanceId: null });
    expect(decode(entryAt, '', '7')).toStrictEqual({
      kind: 'model',
      namespace: null,
      component: null,
      endpoint: null,
      instanceId: '7',
      lora: null,
      removed: true,
    });
  });

  it('discovery records - a card below mdc has no endpoint', () => {
    expect(decode('mdc/tiny', '{"display_name":"tiny","endpoint":"what"}', '0')).toStrictEqual({
      kind: 'model',
      namespace: null,
      component: null,
      endpoint: null,
      instanceId: null,
      lora: null,
      role: null,
      needs: [],
      model: 'tiny',
      runtimeConfig: {},
    });
  });

  it.each([
    ['worker_type, since 1.6', '{"model_type":"Chat | Completions","worker_type":"decode"}', 'decode'],
    ['worker_type, of a prefill worker', '{"model_type":"","worker_type":"prefill"}', 'prefill'],
    ['worker_type, of an aggregated worker', '{"worker_type":"aggregated"}', 'aggregated'],
    ['worker_type, of an encode worker', '{"worker_type":"encode"}', 'encode'],
    ['model_type, before 1.6', '{"model_type":"Prefill"}', 'prefill'],
    ['model_type, with others', '{"model_type":"Chat | Prefill"}', 'prefill'],
    ['worker_type, which wins over model_type', '{"model_type":"Prefill","worker_type":"decode"}', 'decode'],
    ['nothing: another model_type', '{"model_type":"Chat | Completions"}', null],
    ['nothing: a word that only begins like it', '{"model_type":"Prefiller"}', null],
    ['nothing: an unknown worker_type', '{"worker_type":"router"}', null],
    ['nothing: values of other forms', '{"model_type":{"bits":7},"worker_type":3}', null],
    ['nothing: null', '{"model_type":null,"worker_type":null}', null],
  ])('discovery records - the role is that of %s', (_, card, role) => {
    expect(decode(modelAt, model(card))).toMatchObject({ role });
    expect(decode(modelAt, card)).toMatchObject({ role });
  });

  it.each([
    [
      'an OR of ANDs, in one order',
      '[["prefill","decode"],["aggregated"]]',
      [['aggregated'], ['decode', 'prefill']],
    ],
    ['duplicates', '[["decode","decode"],["decode"]]', [['decode']]],
    ['an empty list', '[]', []],
    ['an alternative without a condition', '[[]]', [[]]],
    ['another form: text', '"decode"', []],
    ['another form: null', 'null', []],
    ['another form inside: numbers', '[3,[4,"decode"]]', [['decode']]],
  ])('discovery records - needs: %s', (_, needs, expected) => {
    const record = decode(modelAt, `{"worker_type":"encode","needs":${needs}}`);
    expect(record).toMatchObject({ role: 'encode', needs: expected });
    expect(record).not.toHaveProperty('unknownRole');
  });

  it.each([
    ['in worker_type', '{"worker_type":"router"}', [], 'router'],
    ['in worker_type, in another case', '{"worker_type":"Prefill","model_type":"Prefill"}', [], 'Prefill'],
    ['in needs', '{"worker_type":"decode","needs":[["prefill","draft"]]}', [['prefill']], 'draft'],
  ])('discovery records - an unknown worker type %s is kept as text', (_, card, needs, unknownRole) => {
    expect(decode(modelAt, card)).toMatchObject({ needs, unknownRole });
  });

  it('discovery records - before 1.6, a prefill worker needs others that decode', () => {
    expect(decode(modelAt, '{"model_type":"Prefill"}')).toMatchObject({ needs: [['decode']] });
  });

  it('captured discovery records - the roles of a disaggregated fleet', () => {
    const roles = new Set<string>();
    for (const entry of entries) {
      const record = decodeDiscoveryRecord(entry);
      if (!('role' in record) || !entry.file.includes('/disagg/')) continue;
      const needs = 'needs' in record ? JSON.stringify(record.needs) : '';
      roles.add(`${entry.release} ${record.component ?? ''}: ${record.role ?? 'null'} needs ${needs}`);
    }
    expect([...roles].sort()).toEqual([
      '1.0.1 backend: null needs []',
      '1.0.1 prefill: prefill needs [["decode"]]',
      '1.6.1 backend: decode needs [["prefill"]]',
      '1.6.1 prefill: prefill needs [["decode"]]',
    ]);
  });

  it('discovery records - the lease is ignored if the key has an id', () => {
    expect(decode(instanceAt, '{}', '5')).toMatchObject({ instanceId: id });
    expect(decode(modelAt, '', '5')).toMatchObject({ instanceId: id });
  });

  it('discovery records - an event channel with each transport', () => {
    const channel = (transport: string): string =>
      `{"type":"EventChannel","namespace":"dynamo","component":"","topic":"kv_metrics","instance_id":7587888657184927289,"transport":${transport}}`;
    const record = {
      kind: 'eventChannel',
      namespace: 'dynamo',
      component: null,
      endpoint: null,
      topic: 'kv_metrics',
      instanceId: id,
    };
    expect(
      decode(channelAt, channel('{"kind":"Nats","config":{"subject_prefix":"namespace.dynamo"}}')),
    ).toStrictEqual({
      ...record,
      transport: { kind: 'nats', subjectPrefix: 'namespace.dynamo' },
    });
    expect(
      decode(channelAt, channel('{"kind":"Zmq","config":{"endpoint":"tcp://10.0.0.5:41234"}}')),
    ).toStrictEqual({
      ...record,
      transport: { kind: 'zmq', endpoint: 'tcp://10.0.0.5:41234' },
    });
    expect(
      decode(
        channelAt,
        channel(
          '{"kind":"ZmqBroker","config":{"xsub_endpoints":["tcp://a"],"xpub_endpoints":["tcp://b","tcp://c"]}}',
        ),
      ),
    ).toStrictEqual({
      ...record,
      transport: { kind: 'zmqBroker', xsubEndpoints: ['tcp://a'], xpubEndpoints: ['tcp://b', 'tcp://c'] },
    });
    expect(decode(channelAt, channel('{"kind":"Quic","config":7}'))).toStrictEqual({
      ...record,
      transport: null,
    });
  });

  it.each([
    [instanceAt, { kind: 'instance', ...endpointName, instanceId: id }],
    [modelAt, { kind: 'model', ...endpointName, instanceId: id, lora: null }],
    [`${modelAt}/lora-a`, { kind: 'model', ...endpointName, instanceId: id, lora: 'lora-a' }],
    [
      channelAt,
      {
        kind: 'eventChannel',
        namespace: 'dynamo',
        component: null,
        endpoint: null,
        topic: 'kv_metrics',
        instanceId: id,
      },
    ],
  ])('discovery records - an empty value of %s is a removal', (key, known) => {
    expect(decode(key, '')).toStrictEqual({ ...known, removed: true });
  });

  it('discovery records - event sources and other roots are unknown, whatever they hold', () => {
    for (const value of ['', '{}', 'no JSON', '{"type":"Endpoint"}']) {
      expect(decode('v1/event_sources/namespace/dynamo/topic/kv-events/7', value)).toStrictEqual({
        kind: 'unknown',
      });
      expect(decode('my/own/key', value)).toStrictEqual({ kind: 'unknown' });
    }
  });
});

describe('runtime configurations', () => {
  it.each([
    ['{}', {}],
    ['{"runtime_config":null}', {}],
    ['{"runtime_config":{}}', {}],
    [
      '{"runtime_config":{"total_kv_blocks":null,"max_num_batched_tokens":null,"data_parallel_start_rank":null,"data_parallel_size":null}}',
      {},
    ],
    [
      '{"runtime_config":{"total_kv_blocks":0,"data_parallel_size":0}}',
      { totalKvBlocks: 0, dataParallelSize: 0 },
    ],
    ['{"runtime_config":{"total_kv_blocks":9007199254740991}}', { totalKvBlocks: 9007199254740991 }],
    ['{"runtime_config":{"total_kv_blocks":9007199254740993}}', { totalKvBlocks: 9007199254740993n }],
    [
      '{"runtime_config":{"max_num_batched_tokens":18446744073709551615}}',
      { maxNumBatchedTokens: 18446744073709551615n },
    ],
    ['{"runtime_config":{"data_parallel_start_rank":4294967295}}', { dataParallelStartRank: 4294967295 }],
    [
      '{"runtime_config":{"max_num_seqs":"many","taints":7},"context_length":null,"slug":1,"model_info":[]}',
      {},
    ],
  ])('runtime configurations - of the card %s', (modelCard, runtimeConfig) => {
    expect(decode(modelAt, model(modelCard))).toMatchObject({ runtimeConfig });
    const record = decode(modelAt, modelCard);
    expect('runtimeConfig' in record && record.runtimeConfig).toStrictEqual(runtimeConfig);
  });
});

describe('LoRA cards', () => {
  it.each([
    ['the key has a suffix', `${modelAt}/my_lora`, model('{"display_name":"x"}'), 'my_lora'],
    [
      'the value has a suffix',
      modelAt,
      model('{"display_name":"x"}', ',"model_suffix":"my_lora"'),
      'my_lora',
    ],
    ['the card names an adapter', modelAt, model('{"lora":{"name":"My LoRA"}}'), 'My LoRA'],
    [
      'all three: the name goes first',
      `${modelAt}/my_lora`,
      model('{"lora":{"name":"My LoRA","max_gpu_lora_count":4}}', ',"model_suffix":"my_lora"'),
      'My LoRA',
    ],
    ['a bare card names one', modelAt, '{"lora":{"name":"My LoRA"}}', 'My LoRA'],
    ['a bare card has a suffix in its key', `${modelAt}/my_lora`, '{"display_name":"x"}', 'my_lora'],
    ['nulls are no adapter', modelAt, model('{"lora":null}', ',"model_suffix":null'), null],
    ['none of them', modelAt, model('{"display_name":"lora"}'), null],
  ])('LoRA cards - %s', (_, key, value, lora) => {
    expect(decode(key, value)).toMatchObject({ kind: 'model', instanceId: id, lora });
  });
});

describe('bad discovery records', () => {
  const modelCard = (config: string): string => model(`{"runtime_config":${config}}`);

  it.each([
    ['no JSON', instanceAt, 'hello', 'malformed'],
    ['white space only', instanceAt, ' \n', 'empty'],
    ['cut off', instanceAt, '{"type":"Endpoint","instance_id":75878886571849', 'truncated'],
    ['two documents', instanceAt, '{} {}', 'trailing'],
    ['an array', instanceAt, '[]', 'wrong-type'],
    ['null', modelAt, 'null', 'wrong-type'],
    ['too deep', instanceAt, `${'['.repeat(200)}${']'.repeat(200)}`, 'too-deep'],
    ['a type that is not a string', instanceAt, '{"type":7}', 'wrong-type'],
    ['the type of another key', instanceAt, '{"type":"Model"}', 'malformed'],
    ['an unknown type', modelAt, '{"type":"Endpoints"}', 'malformed'],
    [
      'an id twice',
      instanceAt,
      '{"instance_id":7587888657184927289,"instance_id":7587888657184927289}',
      'duplicate-key',
    ],
    ['another id', instanceAt, '{"instance_id":7587888657184927288}', 'malformed'],
    [
      'an id that JSON.parse would make equal',
      instanceAt,
      '{"instance_id":7587888657184928000}',
      'malformed',
    ],
    ['another id in a card', modelAt, '{"type":"Model","instance_id":1,"card_json":{}}', 'malformed'],
    [
      'another id in a channel',
      channelAt,
      '{"type":"EventChannel","instance_id":1,"transport":{"kind":"Other"}}',
      'malformed',
    ],
    ['an id as a string', instanceAt, '{"instance_id":"7587888657184927289"}', 'wrong-type'],
    ['an id that is null', instanceAt, '{"instance_id":null}', 'wrong-type'],
    ['a fraction for an id', instanceAt, '{"instance_id":7587888657184927289.0}', 'wrong-type'],
    ['a negative id', instanceAt, '{"instance_id":-1}', 'out-of-range'],
    ['an id above 64 bits', instanceAt, '{"instance_id":18446744073709551616}', 'out-of-range'],
    ['an address that is not a string', instanceAt, '{"transport":{"tcp":7}}', 'wrong-type'],
    ['an address twice', instanceAt, '{"transport":{"tcp":"a","tcp":"b"}}', 'duplicate-key'],
    ['no UTF-8', instanceAt, null, 'invalid-utf8'],
    ['no card', modelAt, '{"type":"Model"}', 'missing-field'],
    ['a card that is not an object', modelAt, model('"{}"'), 'wrong-type'],
    ['a card twice', modelAt, model('{}', ',"card_json":{}'), 'duplicate-key'],
    ['a model name that is not a string', modelAt, model('{"display_name":7}'), 'wrong-type'],
    ['an adapter that is not an object', modelAt, model('{"lora":"x"}'), 'wrong-type'],
    ['an adapter without a name', modelAt, model('{"lora":{}}'), 'missing-field'],
    ['an adapter whose name is not a string', modelAt, model('{"lora":{"name":null}}'), 'wrong-type'],
    ['a suffix that is not a string', modelAt, model('{}', ',"model_suffix":7'), 'wrong-type'],
    ['a configuration that is not an object', modelAt, modelCard('[]'), 'wrong-type'],
    ['a configuration twice', modelAt, model('{"runtime_config":{},"runtime_config":{}}'), 'duplicate-key'],
    ['blocks twice', modelAt, modelCard('{"total_kv_blocks":1,"total_kv_blocks":1}'), 'duplicate-key'],
    ['blocks as a string', modelAt, modelCard('{"total_kv_blocks":"1"}'), 'wrong-type'],
    ['blocks as a fraction', modelAt, modelCard('{"total_kv_blocks":1e2}'), 'wrong-type'],
    ['blocks below zero', modelAt, modelCard('{"total_kv_blocks":-1}'), 'out-of-range'],
    ['blocks above 64 bits', modelAt, modelCard('{"total_kv_blocks":18446744073709551616}'), 'out-of-range'],
    ['tokens that are true', modelAt, modelCard('{"max_num_batched_tokens":true}'), 'wrong-type'],
    [
      'a start rank above 32 bits',
      modelAt,
      modelCard('{"data_parallel_start_rank":4294967296}'),
      'out-of-range',
    ],
    ['a size above 32 bits', modelAt, modelCard('{"data_parallel_size":4294967296}'), 'out-of-range'],
    ['a size that is a fraction', modelAt, modelCard('{"data_parallel_size":1.0}'), 'wrong-type'],
    ['a model entry without an endpoint', entryAt, '{"name":"x"}', 'missing-field'],
    [
      'a model entry whose endpoint has no name',
      entryAt,
      '{"endpoint":{"namespace":"a","component":"b"}}',
      'missing-field',
    ],
    [
      'a model entry whose component is not a string',
      entryAt,
      '{"endpoint":{"namespace":"a","component":1,"name":"c"}}',
      'wrong-type',
    ],
    [
      'a model entry in a namespace without a name',
      entryAt,
      '{"endpoint":{"namespace":"","component":"b","name":"c"}}',
      'malformed',
    ],
    [
      'a model entry whose component has a slash',
      entryAt,
      '{"endpoint":{"namespace":"a","component":"b/c","name":"d"}}',
      'malformed',
    ],
    ['a channel without a transport', channelAt, '{"type":"EventChannel"}', 'missing-field'],
    ['a transport without a kind', channelAt, '{"transport":{"config":{}}}', 'missing-field'],
    ['a transport without a configuration', channelAt, '{"transport":{"kind":"Zmq"}}', 'missing-field'],
    [
      'a transport without an endpoint',
      channelAt,
      '{"transport":{"kind":"Zmq","config":{}}}',
      'missing-field',
    ],
    [
      'a subject prefix that is not a string',
      channelAt,
      '{"transport":{"kind":"Nats","config":{"subject_prefix":1}}}',
      'wrong-type',
    ],
    [
      'broker endpoints that are no array',
      channelAt,
      '{"transport":{"kind":"ZmqBroker","config":{"xsub_endpoints":"a"}}}',
      'wrong-type',
    ],
    [
      'broker endpoints that are no strings',
      channelAt,
      '{"transport":{"kind":"ZmqBroker","config":{"xsub_endpoints":[1],"xpub_endpoints":[]}}}',
      'wrong-type',
    ],
  ])('bad discovery records - %s', (_, key, text, code) => {
    const value = text === null ? Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d) : bytes(text);
    expect(decodeDiscoveryRecord({ key, value })).toMatchObject({ error: { code } });
  });

  it.each(['', '{}'])('bad discovery records - a key of no known shape, its value %j', (value) => {
    expect(decode('v1/instances/dynamo/backend/generate/xyz', value)).toMatchObject({
      error: { code: 'bad-key', offset: 0 },
    });
  });

  it('bad discovery records - the offset is that of the culprit in the value', () => {
    expect(decode(instanceAt, '{"instance_id": 12}')).toMatchObject({
      error: { offset: 16, message: 'instance_id is 12, but the key says 7587888657184927289' },
    });
    expect(decode(modelAt, '{"runtime_config":{"total_kv_blocks":-1}}')).toMatchObject({
      error: { offset: 37 },
    });
  });

  it('bad discovery records - captured ones, truncated or with a byte changed, are a record or an error', () => {
    const sample = entries.filter(({ value }) => value.length > 0);
    fc.assert(
      fc.property(
        fc.constantFrom(...sample),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        ({ key, value, lease }, at, byte, cut) => {
          const position = at % value.length;
          const mutated = cut
            ? value.slice(0, position)
            : Uint8Array.from(value).fill(byte, position, position + 1);
          const record = decodeDiscoveryRecord({ key, value: mutated, lease });
          expect('error' in record || 'kind' in record).toBe(true);
          const isRecord = 'removed' in record || ('kind' in record && record.kind === 'unknown');
          if (cut && !key.startsWith('v1/event_sources/')) expect(isRecord).toBe(position === 0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
