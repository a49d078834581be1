import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workerId, workerIdFromHex } from '../../../src/core/worker-id.js';
import {
  eventChannelKey,
  instanceKey,
  modelKey,
  parseDiscoveryKey,
} from '../../../src/dynamo/discovery/discovery-keys.js';
import { ScopeError } from '../../../src/wire/endpoint-names.js';
import { toSlug } from '../../../src/wire/text-codecs.js';
import { capturedEntries, RELEASES } from '../../wire/captures.js';

const endpointName = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
const id = workerId('7587888657184927289');
const nowhere = { namespace: null, component: null, endpoint: null, instanceId: null, lora: null };

describe('discovery keys', () => {
  it.each([
    [
      'instances/dynamo/backend/generate:694d988806b92e39',
      { kind: 'instance', ...endpointName, instanceId: id },
    ],
    ['instances/dynamo/backend/generate', { kind: 'instance', ...endpointName, instanceId: '0' }],
    [
      'instances/a.b/backend/gen:erate:ff',
      { kind: 'instance', namespace: 'a.b', component: 'backend', endpoint: 'gen:erate', instanceId: '255' },
    ],
    [
      'v1/instances/dynamo/backend/generate/694d988806b92e39',
      { kind: 'instance', ...endpointName, instanceId: id },
    ],
    ['v1/instances/dynamo/backend/generate/0', { kind: 'instance', ...endpointName, instanceId: '0' }],
    [
      'v1/instances/50%25/back%2Fend/generate/1',
      {
        kind: 'instance',
        namespace: '50%25',
        component: 'back%2Fend',
        endpoint: 'generate',
        instanceId: '1',
      },
    ],
    ['models/a41790b9-3310-4bf3-9e85-5eaf37c37ef2', { kind: 'model', ...nowhere }],
    ['mdc/tiny-model', { kind: 'model', ...nowhere }],
    [
      'v1/mdc/dynamo/backend/generate/694d988806b92e39',
      { kind: 'model', ...endpointName, instanceId: id, lora: null },
    ],
    [
      'v1/mdc/dynamo/backend/generate/694d988806b92e39/lora-a',
      { kind: 'model', ...endpointName, instanceId: id, lora: 'lora-a' },
    ],
    [
      'v1/event_channels/dynamo//kv_metrics/717a1fdfbae5605',
      {
        kind: 'eventChannel',
        namespace: 'dynamo',
        component: null,
        endpoint: null,
        topic: 'kv_metrics',
        instanceId: '511055194951144965',
      },
    ],
    [
      'v1/event_channels/dynamo/backend/kv-events/7',
      {
        kind: 'eventChannel',
        namespace: 'dynamo',
        component: 'backend',
        endpoint: null,
        topic: 'kv-events',
        instanceId: '7',
      },
    ],
    [
      'v1/event_channels/namespace/dynamo/topic/kv_metrics/7',
      {
        kind: 'eventChannel',
        namespace: 'dynamo',
        component: null,
        endpoint: null,
        topic: 'kv_metrics',
        instanceId: '7',
      },
    ],
    [
      'v1/event_channels/namespace/dynamo/component/backend/topic/kv-events/7',
      {
        kind: 'eventChannel',
        namespace: 'dynamo',
        component: 'backend',
        endpoint: null,
        topic: 'kv-events',
        instanceId: '7',
      },
    ],
    [
      'v1/event_channels/namespace/ns%2Eone/component/worker%2F%2A/endpoint/generate%2E%3E/topic/kv%2Eevents%2F%2A/1fffffffffffff',
      {
        kind: 'eventChannel',
        namespace: 'ns.one',
        component: 'worker/*',
        endpoint: 'generate.>',
        topic: 'kv.events/*',
        instanceId: '9007199254740991',
      },
    ],
    [
      'v1/event_sources/namespace/dynamo/component/backend/endpoint/generate/topic/kv-events/7',
      { kind: 'eventSource', ...endpointName, topic: 'kv-events', instanceId: '7' },
    ],
  ])('discovery keys - %s is read', (key, parsed) => {
    expect(parseDiscoveryKey(key)).toStrictEqual(parsed);
  });

  it.each([
    [
      'v1/event_channels/namespace//kv_metrics/7',
      { namespace: 'namespace', component: null, endpoint: null, topic: 'kv_metrics' },
    ],
    [
      'v1/event_channels/namespace/topic/kv_metrics/7',
      { namespace: 'namespace', component: 'topic', endpoint: null, topic: 'kv_metrics' },
    ],
    [
      'v1/event_channels/namespace/component/topic/7',
      { namespace: 'namespace', component: 'component', endpoint: null, topic: 'topic' },
    ],
    [
      'v1/event_channels/namespace/namespace/topic/topic/7',
      { namespace: 'namespace', component: null, endpoint: null, topic: 'topic' },
    ],
    [
      'v1/event_channels/namespace/component/component/topic/topic/t/7',
      { namespace: 'component', component: 'topic', endpoint: null, topic: 't' },
    ],
  ])('discovery keys - names that are words of the layout do not confuse %s', (key, parsed) => {
    expect(parseDiscoveryKey(key)).toStrictEqual({ kind: 'eventChannel', ...parsed, instanceId: '7' });
  });

  it('discovery keys - names of a layout that does not escape are taken as they are', () => {
    expect(parseDiscoveryKey('v1/event_channels/a%2Eb/50%/t%/7')).toMatchObject({
      namespace: 'a%2Eb',
      component: '50%',
      topic: 't%',
    });
  });

  it.each([
    ['ffffffffffffffff', '18446744073709551615'],
    ['FFFFFFFFFFFFFFFF', '18446744073709551615'],
    ['694D988806b92e39', '7587888657184927289'],
    ['00ff', '255'],
  ])('discovery keys - the id %s is %s', (hex, instanceId) => {
    for (const key of [
      `instances/dynamo/backend/generate:${hex}`,
      `v1/instances/dynamo/backend/generate/${hex}`,
      `v1/mdc/dynamo/backend/generate/${hex}`,
      `v1/event_channels/dynamo//kv_metrics/${hex}`,
      `v1/event_sources/namespace/dynamo/topic/kv-events/${hex}`,
    ]) {
      expect(parseDiscoveryKey(key)).toMatchObject({ instanceId });
    }
  });

  it.each([
    'instances/',
    'instances/dynamo/backend',
    'instances/dynamo/backend/generate/7',
    'instances//backend/generate:7',
    'instances/dynamo//generate:7',
    'instances/dynamo/backend/:7',
    'instances/dynamo/backend/generate:',
    'instances/dynamo/backend/generate:xyz',
    'v1/instances/',
    'v1/instances/dynamo/backend/generate',
    'v1/instances/dynamo/backend/generate/',
    'v1/instances/dynamo/backend/generate/7/8',
    'v1/instances/dynamo//generate/7',
    'v1/instances//backend/generate/7',
    'v1/instances/dynamo/backend//7',
    'v1/instances/dynamo/backend/generate/0x7',
    'v1/instances/dynamo/backend/generate/-7',
    'v1/instances/dynamo/backend/generate/10000000000000000',
    'v1/mdc/dynamo/backend/generate',
    'v1/mdc/dynamo//generate/7',
    'v1/mdc/dynamo/backend/generate/g',
    'v1/mdc/dynamo/backend/generate/7/',
    'v1/mdc/dynamo/backend/generate/7/lora/more',
    'models/',
    'models/a/b',
    'mdc/',
    'mdc/a/b',
    'v1/event_channels/dynamo/kv_metrics/7',
    'v1/event_channels//backend/kv_metrics/7',
    'v1/event_channels/dynamo/backend//7',
    'v1/event_channels/dynamo/backend/kv_metrics/',
    'v1/event_channels/dynamo/backend/generate/kv_metrics/7',
    'v1/event_channels/namespace/dynamo/topics/kv_metrics/7',
    'v1/event_channels/namespace//topic/kv_metrics/7',
    'v1/event_channels/namespace/dynamo/component//topic/kv_metrics/7',
    'v1/event_channels/namespace/dynamo/component/backend/endpoint//topic/kv_metrics/7',
    'v1/event_channels/namespace/dynamo/topic//7',
    'v1/event_channels/namespace/dynamo/endpoint/generate/topic/kv_metrics/7',
    'v1/event_channels/namespace/dynamo/topic/kv_metrics/7/8',
    'v1/event_channels/namespace/dynamo/component/backend/topic/7',
    'v1/event_channels/namespace/dynamo/topic/kv_metrics/xyz',
    'v1/event_channels/namespace/dynamo%2/topic/kv_metrics/7',
    'v1/event_channels/namespace/dynamo/topic/%FF/7',
    'v1/event_sources/namespace/dynamo/component/backend/endpoint/generate/kv-events/7',
  ])('discovery keys - %s is a bad key', (key) => {
    expect(parseDiscoveryKey(key)).toMatchObject({ error: { code: 'bad-key', offset: 0 } });
  });

  it('discovery keys - an error quotes no more of a key than a line', () => {
    const parsed = parseDiscoveryKey(`v1/mdc/${'x'.repeat(1e5)}`);
    expect('error' in parsed && parsed.error.message.length).toBeLessThan(500);
  });

  it.each([
    '',
    '/',
    'v1',
    'v1/instances',
    'v1/mdcx/a',
    'v2/instances/a/b/c/7',
    '/v1/instances/a/b/c/7',
    'Models/x',
    'kv/x',
    'public/components/x',
  ])('discovery keys - %j is below another root', (key) => {
    expect(parseDiscoveryKey(key)).toStrictEqual({ kind: 'unknown' });
  });

  it('discovery keys - every captured one of nine releases is of a known kind', () => {
    const kinds = new Map(RELEASES.map((release) => [release, new Set<string>()]));
    for (const { release, key, file } of capturedEntries()) {
      const parsed = parseDiscoveryKey(key);
      if ('error' in parsed) throw new Error(`${file}: ${parsed.error.message}`);
      kinds.get(release)?.add(parsed.kind);
    }
    const all = Object.fromEntries([...kinds].map(([release, set]) => [release, [...set].sort().join(' ')]));
    expect(all).toEqual({
      '0.5.1': 'instance model',
      '0.6.0': 'instance model',
      '0.8.1': 'instance model',
      '0.9.1': 'eventChannel instance model',
      '1.0.1': 'eventChannel instance model',
      '1.1.1': 'eventChannel instance model',
      '1.3.1': 'eventChannel instance model',
      '1.4.2': 'eventChannel instance model',
      '1.6.1': 'eventChannel eventSource instance model',
    });
  });

  it('discovery keys - every captured one since release 0.6.0 can be built again', () => {
    let built = 0;
    for (const { key, release } of capturedEntries()) {
      const parsed = parseDiscoveryKey(key);
      if ('error' in parsed || release === '0.5.1') continue;
      if (parsed.kind === 'instance') expect(instanceKey(parsed)).toBe(key);
      else if (parsed.kind === 'eventChannel') expect(eventChannelKey(parsed)).toBe(key);
      else if (parsed.kind === 'model') {
        const { namespace, component, endpoint, instanceId, lora } = parsed;
        if (namespace === null || component === null || endpoint === null || instanceId === null)
          throw new Error(key);
        expect(modelKey({ namespace, component, endpoint, instanceId, lora })).toBe(key);
      } else continue;
      built += 1;
    }
    expect(built).toBeGreaterThan(300);
  });
});

const ids = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => workerId(n.toString()));
const names = fc.string({ unit: 'binary', minLength: 1 });
const plainNames = names.filter((name) => !name.includes('/'));
const addresses = fc.record({
  namespace: plainNames,
  component: plainNames,
  endpoint: plainNames,
  instanceId: ids,
});

describe('building discovery keys', () => {
  it('building discovery keys - ids are lower-case hexadecimal without padding', () => {
    expect(instanceKey({ ...endpointName, instanceId: id })).toBe(
      'v1/instances/dynamo/backend/generate/694d988806b92e39',
    );
    expect(modelKey({ ...endpointName, instanceId: workerIdFromHex('00ABC') })).toBe(
      'v1/mdc/dynamo/backend/generate/abc',
    );
    expect(modelKey({ ...endpointName, instanceId: id, lora: 'lora-a' })).toBe(
      'v1/mdc/dynamo/backend/generate/694d988806b92e39/lora-a',
    );
  });

  it('building discovery keys - an event channel has the layout of its release', () => {
    const channel = { namespace: 'ns.one', topic: 'kv_metrics', instanceId: workerId('255') };
    const component = { ...channel, component: 'backend' };
    const root = 'v1/event_channels';
    expect(eventChannelKey(channel)).toBe(`${root}/ns.one//kv_metrics/ff`);
    expect(eventChannelKey(component)).toBe(`${root}/ns.one/backend/kv_metrics/ff`);
    expect(eventChannelKey(channel, { escaped: true })).toBe(
      `${root}/namespace/ns%2Eone/topic/kv_metrics/ff`,
    );
    expect(eventChannelKey(component, { escaped: true })).toBe(
      `${root}/namespace/ns%2Eone/component/backend/topic/kv_metrics/ff`,
    );
    expect(eventChannelKey({ ...component, endpoint: 'g.>', topic: 'a/b' })).toBe(
      `${root}/namespace/ns%2Eone/component/backend/endpoint/g%2E%3E/topic/a%2Fb/ff`,
    );
  });

  it('building discovery keys - instance and model keys are read back', () => {
    fc.assert(
      fc.property(addresses, fc.option(plainNames), (address, lora) => {
        expect(parseDiscoveryKey(instanceKey(address))).toEqual({ kind: 'instance', ...address });
        expect(parseDiscoveryKey(modelKey({ ...address, lora }))).toEqual({
          kind: 'model',
          ...address,
          lora,
        });
      }),
    );
  });

  it('building discovery keys - event channel keys of both layouts are read back', () => {
    const channels = fc.record({
      namespace: plainNames,
      component: fc.option(plainNames),
      topic: plainNames,
      instanceId: ids,
    });
    fc.assert(
      fc.property(channels, (channel) => {
        const parsed = { kind: 'eventChannel', ...channel, endpoint: null };
        expect(parseDiscoveryKey(eventChannelKey(channel, { escaped: false }))).toEqual(parsed);
        expect(parseDiscoveryKey(eventChannelKey(channel, { escaped: true }))).toEqual(parsed);
      }),
    );
    fc.assert(
      fc.property(names, names, names, names, ids, (namespace, component, endpoint, topic, instanceId) => {
        const channel = { namespace, component, endpoint, topic, instanceId };
        expect(parseDiscoveryKey(eventChannelKey(channel))).toEqual({ kind: 'eventChannel', ...channel });
      }),
    );
  });

  it('building discovery keys - names that a key cannot hold are refused', () => {
    const address = { ...endpointName, instanceId: id };
    const channel = { namespace: 'a', topic: 't', instanceId: id };
    for (const build of [
      () => instanceKey({ ...address, namespace: '' }),
      () => instanceKey({ ...address, component: 'a/b' }),
      () => instanceKey({ ...address, endpoint: '' }),
      () => modelKey({ ...address, lora: '' }),
      () => modelKey({ ...address, lora: 'a/b' }),
      () => eventChannelKey({ ...channel, topic: 'a/b' }),
      () => eventChannelKey({ ...channel, topic: '' }),
      () => eventChannelKey({ ...channel, component: '' }),
      () => eventChannelKey({ ...channel, topic: '' }, { escaped: true }),
      () => eventChannelKey({ ...channel, endpoint: 'e' }),
      () => eventChannelKey({ ...channel, component: 'c', endpoint: 'e' }, { escaped: false }),
    ]) {
      expect(build).toThrow(ScopeError);
    }
  });

  it.each([
    ['lora-a', 'lora-a'],
    ['Org/My LoRA', 'org_my_lora'],
    ['/models/tiny-model', 'models_tiny-model'],
    ['__a__', 'a__'],
    ['Größe🌊', 'gr__e_'],
    ['***', ''],
  ])('building discovery keys - the slug of %s is %j', (name, slug) => {
    expect(toSlug(name)).toBe(slug);
  });
});
