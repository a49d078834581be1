import { describe, expect, it } from 'vitest';
import { MemoryKeys } from '../../../src/core/sources/key-source.js';
import { eventChannelPrefixes } from '../../../src/dynamo/discovery/discovery-keys.js';
import { discoverWorkers } from '../../../src/dynamo/discovery/discover-workers.js';
import type { FleetScope } from '../../../src/dynamo/discovery/fleet-scope.js';
import { put, putText, remove } from '../../support/discovery.js';

const zmq = { kind: 'Zmq', config: { endpoint: 'tcp://10.0.0.5:41017' } };
const nats = { kind: 'Nats', config: { subject_prefix: 'namespace.prod' } };
const broker = {
  kind: 'ZmqBroker',
  config: { xsub_endpoints: ['tcp://10.0.0.6:1'], xpub_endpoints: ['tcp://10.0.0.6:2'] },
};
const root = 'v1/event_channels';
const ofEndpoint = (id: string, namespace = 'prod', topic = 'kv_metrics'): string =>
  `${root}/namespace/${namespace}/component/backend/endpoint/generate/topic/${topic}/${id}`;
const channel = (key: string, transport: object = zmq) => put(key, { type: 'EventChannel', transport });

function watching(scope: FleetScope = { namespace: 'prod' }) {
  const keys = new MemoryKeys();
  const reported: { readonly code: string; readonly count: number; readonly text: string }[] = [];
  discoverWorkers(keys, scope).problems$.subscribe((problem) => reported.push(problem));
  return { keys, take: () => reported.splice(0) };
}

describe('loads that go over ZMQ', () => {
  it.each([
    ['of an endpoint', ofEndpoint('7'), zmq, '10.0.0.5:41017'],
    ['of a namespace, up to 1.3', `${root}/prod//kv_metrics/7`, zmq, '10.0.0.5:41017'],
    ['of a component, up to 1.3', `${root}/prod/backend/kv_metrics/7`, zmq, '10.0.0.5:41017'],
    ['of a generation', ofEndpoint('7', 'prod-1a2b3c4d'), zmq, '10.0.0.5:41017'],
    ['over a broker', `${root}/prod/zmq_broker/any/7`, broker, '10.0.0.6:2'],
  ])('are a problem that says where they are: %s', (_, key, transport, address) => {
    const { keys, take } = watching();
    keys.apply([channel(key, transport)]);
    const problems = take();
    expect(problems).toMatchObject([{ code: 'loads-over-zmq', source: 'loads', count: 1 }]);
    expect(problems[0]?.text).toContain(address);
    expect(problems[0]?.text).toContain('DYN_EVENT_PLANE=nats');
  });

  it.each([
    ['over NATS', channel(ofEndpoint('7'), nats)],
    ['another topic', channel(ofEndpoint('7', 'prod', 'kv-events'))],
    ['another namespace', channel(ofEndpoint('7', 'production'))],
    ['a transport that is not known', channel(ofEndpoint('7'), { kind: 'Pigeon' })],
    ['a value that cannot be decoded', putText(ofEndpoint('7'), '{')],
    ['a key that cannot be parsed', channel(`${root}/prod/7`)],
  ])('are no problem: %s', (_, change) => {
    const { keys, take } = watching();
    keys.apply([change]);
    expect(take()).toEqual([]);
  });

  it('are reported once, again when their number has doubled, and again after they were gone', () => {
    const { keys, take } = watching({});
    for (const id of ['1', '2', '3', '4']) keys.apply([channel(ofEndpoint(id))]);
    expect(take().map(({ count }) => count)).toEqual([1, 2, 4]);
    keys.apply(['1', '2', '3', '4'].map((id) => remove(ofEndpoint(id))));
    keys.apply([channel(ofEndpoint('5'))]);
    expect(take().map(({ count }) => count)).toEqual([1]);
    keys.apply([channel(ofEndpoint('5'), nats)]);
    keys.apply([channel(ofEndpoint('5'))]);
    expect(take().map(({ count }) => count)).toEqual([1]);
  });
});

it('the prefixes cover both layouts of the selected namespaces', () => {
  expect(eventChannelPrefixes(undefined, 'generations')).toEqual([`${root}/`]);
  expect(eventChannelPrefixes('a b', 'exact')).toEqual([`${root}/a b/`, `${root}/namespace/a%20b/`]);
  expect(eventChannelPrefixes('a', 'generations')).toEqual([
    `${root}/a/`,
    `${root}/a-`,
    `${root}/namespace/a/`,
    `${root}/namespace/a-`,
  ]);
  expect(eventChannelPrefixes('a', 'prefix')).toEqual([`${root}/a`, `${root}/namespace/a`]);
});
