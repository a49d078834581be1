import { NEVER, type Observable, defer, finalize, of } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { etcdKeys } from '../../src/adapters/etcd/watch-prefix.js';
import { loadMonitor } from '../../src/core/pipeline/load-monitor.js';
import { policies } from '../../src/core/policy/policies.js';
import { MemoryKeys } from '../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../src/core/sources/message-source.js';
import type { SourceStatus } from '../../src/core/sources/source-status.js';
import { loadSubject } from '../../src/dynamo/loads/subjects.js';
import { type DynamoFleetOptions, dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import { encodeActiveLoad, encodeEnvelope } from '../../src/wire/loads/load-encoder.js';
import { readCapturedEtcd } from '../dynamo/discovery/captured-etcd.js';
import { FakeMessages } from '../dynamo/loads/fake-messages.js';
import { modelCard, put, putText, remove } from '../support/discovery.js';
import { id, load } from '../support/fleet.js';

vi.mock('../../src/adapters/etcd/watch-prefix.js', { spy: true });
afterEach(() => void vi.mocked(etcdKeys).mockReset());

/** A worker with an instance and a card. */
const worker = (n: number, path: string, more: object = {}) => [
  put(`v1/instances/${path}/${n}`, {}),
  put(`v1/mdc/${path}/${n}`, modelCard(100, more)),
];
const message = (kvUsedBlocks: number): Uint8Array => {
  const head = { publisherId: '9', sequence: 0, publishedAt: 0 };
  return encodeEnvelope(head, encodeActiveLoad(load({ kvUsedBlocks }), 5));
};

/** What a stream emits. */
function heard<T>(stream$: Observable<T>): T[] {
  const values: T[] = [];
  stream$.subscribe((value) => values.push(value));
  return values;
}

/** A fleet in memory. */
function inMemory(options: Omit<DynamoFleetOptions, 'form' | 'nats' | 'etcd'> = {}) {
  const [keys, messages] = [new MemoryKeys(), new MemoryMessages()];
  return { keys, messages, fleet: dynamoFleet({ discovery: keys, events: messages, ...options }) };
}

describe('dynamoFleet over etcd', () => {
  const watched = () => vi.mocked(etcdKeys).mock.lastCall;
  const nothing = { changes$: NEVER, status$: NEVER };
  const events = new MemoryMessages();

  it('watches the prefixes of its namespace, with the options of the connection, and keeps no values', () => {
    vi.mocked(etcdKeys).mockReturnValue(nothing);
    const auth = { username: 'reader', password: 'secret' };
    dynamoFleet({ etcd: { hosts: 'h:1', auth, keyPrefix: 'x/' }, events, namespace: 'a.b' });
    expect(watched()?.[0]).toMatchObject({
      hosts: 'h:1',
      auth,
      keyPrefix: 'x/',
      prefixes: [
        'v1/instances/a.b/',
        'v1/mdc/a.b/',
        'instances/a.b/',
        'v1/instances/a.b-',
        'v1/mdc/a.b-',
        'models/',
      ],
    });
    expect(watched()?.[1]).toEqual({ keep: false });
  });

  it('watches the namespace of its endpoint, and all roots without either', () => {
    vi.mocked(etcdKeys).mockReturnValue(nothing);
    dynamoFleet({ etcd: 'h:1', events, endpoint: 'a.b.c' });
    expect(watched()?.[0].prefixes).toContain('v1/mdc/a/');
    dynamoFleet({ etcd: 'h:1', events });
    expect(watched()?.[0].prefixes).toEqual(['v1/instances/', 'v1/mdc/', 'instances/', 'models/']);
  });
});

describe('loads over ZMQ', () => {
  const key = 'v1/event_channels/prod//kv_metrics/7';
  const channel = put(key, { transport: { kind: 'Zmq', config: { endpoint: 'tcp://10.0.0.5:1' } } });

  it('are looked for where loads come over NATS', () => {
    vi.mocked(etcdKeys).mockReturnValue({ changes$: NEVER, status$: NEVER });
    dynamoFleet({ etcd: 'h:1', nats: 'nats://127.0.0.1:1' });
    expect(vi.mocked(etcdKeys).mock.lastCall?.[0].prefixes).toContain('v1/event_channels/');
  });

  it('are a problem of a fleet that listens to NATS, and not of one with another source of messages', () => {
    const [discovery, events] = [new MemoryKeys(), new MemoryMessages()];
    discovery.apply([channel]);
    const nats = 'nats://127.0.0.1:1';
    const codesOf = (options: DynamoFleetOptions): string[] => {
      const codes: string[] = [];
      const watching = dynamoFleet(options).problems$.subscribe(({ code }) => codes.push(code));
      watching.unsubscribe();
      return codes;
    };
    expect(codesOf({ discovery, nats })).toEqual(['loads-over-zmq']);
    expect(codesOf({ discovery, events })).toEqual([]);
  });
});

describe('dynamoFleet over any sources', () => {
  it('a fleet in memory is judged like any other', () => {
    const { keys, messages, fleet } = inMemory();
    const thresholds = { activeDecodeBlocksThreshold: 0.85 };
    const monitor = loadMonitor(fleet.pool({ model: 'tiny' }).sources, {
      policy: policies.default,
      thresholds,
    });
    const transitions = heard(monitor.transitions$);
    monitor.connect();
    keys.apply(worker(7, 'dynamo/backend/generate'));
    messages.publish(loadSubject({ namespace: 'dynamo' }), message(90));
    expect(transitions.map(({ workerId, busy }) => [workerId, busy])).toEqual([['7', true]]);
    monitor.stop();
  });

  it('subscribes to nothing before an output has a subscriber, and to nothing after', () => {
    const events = new FakeMessages();
    const fleet = dynamoFleet({ discovery: new MemoryKeys(), events });
    expect(events.subscribed.size).toBe(0);
    const subscription = fleet.loads$.subscribe();
    subscription.add(fleet.accounting$.subscribe());
    expect(events.subscribed.size).toBe(1);
    subscription.unsubscribe();
    expect([events.subscribed.size, events.followers]).toEqual([0, 0]);
  });

  it('lists the models of its workers, and at most maxPools pools', () => {
    const { keys, fleet } = inMemory({ maxPools: 1 });
    keys.apply([...worker(7, 'dynamo/backend/generate'), ...worker(8, 'dynamo/other/generate')]);
    expect(heard(fleet.pools$)).toMatchObject([[{ model: 'tiny', endpoint: { component: 'backend' } }]]);
    expect(heard(fleet.models$)).toMatchObject([[{ name: 'tiny', pools: { length: 2 } }]]);
    expect(() => inMemory({ maxPools: 0 })).toThrow(/maxPools must be a whole number, at least 1/);
  });

  it('has the status of both sources, as loads and discovery', () => {
    const events = new FakeMessages();
    const { status } = dynamoFleet({ discovery: new MemoryKeys('mine'), events });
    const statuses: SourceStatus[] = status.flatMap((each$) => heard(each$));
    expect(statuses).toMatchObject([
      { source: 'loads', state: 'live' },
      { source: 'discovery', state: 'live' },
    ]);
  });

  it('problems of keys and messages are problems of the fleet, and events for the monitor of a pool', () => {
    const { keys, fleet } = inMemory();
    const [problems, events] = [
      heard(fleet.problems$),
      heard(fleet.pool({ model: 'tiny' }).sources.events ?? NEVER),
    ];
    keys.apply([putText('v1/mdc/dynamo/backend/generate/7', 'x')]);
    expect(problems).toMatchObject([{ code: 'undecodable', source: 'configs', workerId: '7' }]);
    expect(events).toEqual(problems.map((problem) => ({ kind: 'problem', problem })));
  });

  it('a captured fleet, seen through all its stages', () => {
    const { stages, events } = readCapturedEtcd().find(({ release }) => release === '1.6.1') ?? expect.fail();
    const { keys, fleet } = inMemory({ namespace: 'dynamo' });
    const monitor = loadMonitor(fleet.pool({ endpoint: 'backend.generate' }).sources, {
      policy: policies.default,
      thresholds: { activeDecodeBlocksThreshold: 0.5 },
    });
    monitor.connect();
    const seen = stages.map(({ revision, stage }, at) => {
      const after = stages[at - 1]?.revision ?? 0;
      for (const event of events)
        if (event.revision > after && event.revision <= revision) keys.apply([event.change]);
      const counts = monitor.snapshot()?.fleet;
      return `${counts?.known} known, ${counts?.instances} present: ${stage.split(/[,(:]/)[0]?.trim()}`;
    });
    monitor.stop();
    expect(seen).toEqual([
      '0 known, 0 present: empty',
      '1 known, 1 present: worker-1 up',
      '2 known, 2 present: worker-2 up',
      '2 known, 2 present: worker-3 up',
      '2 known, 2 present: worker-1 has a LoRA card too',
      '2 known, 2 present: LoRA card removed',
      '1 known, 1 present: worker-1 endpoint unregistered',
      '2 known, 2 present: worker-1 endpoint registered again',
      '1 known, 1 present: worker-2 shut down cleanly',
      '1 known, 1 present: worker-1 killed',
      '0 known, 0 present: worker-1 lease expired',
      '0 known, 0 present: all gone',
    ]);
  });
});

describe('a fleet in generations of a namespace', () => {
  const [base, a, b] = ['prod', 'prod-1a2b3c4d', 'prod-9f8e7d6c'];
  const at = (namespace: string) => ({ namespace, component: 'backend', endpoint: 'generate' });

  /** A fleet, what it subscribes to, and the blocks that it receives. */
  function following(options: Omit<DynamoFleetOptions, 'form' | 'nats' | 'etcd'>) {
    const [keys, events, subscribed] = [new MemoryKeys(), new MemoryMessages(), new Set<readonly string[]>()];
    const subscribe = (subjects: readonly string[]) =>
      defer(() => {
        subscribed.add(subjects);
        return events.subscribe(subjects).pipe(finalize(() => subscribed.delete(subjects)));
      });
    const source = { status$: events.status$, subscribe };
    const fleet = dynamoFleet({ discovery: keys, events: source, namespace: base, ...options });
    const received: unknown[] = [];
    const running = fleet
      .pool()
      .loads$.subscribe((load) => received.push('kvUsedBlocks' in load && load.kvUsedBlocks));
    const subjects = (): string[] => [...subscribed].flat();
    const namespaces = (): string[] =>
      subjects().flatMap((subject) => /^namespace\.([^.]+)\.kv_metrics$/.exec(subject)?.[1] ?? []);
    return { keys, events, fleet, received, running, subjects, namespaces };
  }

  it('receives the loads of its namespace at once, and those of a generation as soon as it has a worker', () => {
    const { keys, events, received, running, subjects, namespaces } = following({});
    expect(namespaces()).toEqual([base]);
    keys.apply(worker(1, `${a}/backend/generate`));
    keys.apply([...worker(2, `${base}-bar/backend/generate`), ...worker(3, `${a}/other/generate`)]);
    expect(namespaces()).toEqual([base, a]);
    keys.apply(worker(4, `${b}/backend/generate`));
    for (const [index, namespace] of [base, a, b, `${base}-bar`].entries())
      events.publish(loadSubject(at(namespace)), message(index));
    expect(received).toEqual([0, 1, 2]);
    running.unsubscribe();
    expect(subjects()).toEqual([]);
  });

  it('follows a generation without workers further, so that no message is missing if they return', () => {
    const { keys, events, received, namespaces } = following({});
    keys.apply(worker(1, `${a}/backend/generate`));
    keys.apply(worker(1, `${a}/backend/generate`).map(({ key }) => remove(key)));
    events.publish(loadSubject(at(a)), message(7));
    expect(received).toEqual([7]);
    for (let n = 0; n < 100; n += 1) {
      const keysOfOne = worker(1, `${base}-${n.toString(16).padStart(8, '0')}/backend/generate`);
      keys.apply(keysOfOne);
      keys.apply(keysOfOne.map(({ key }) => remove(key)));
    }
    expect(namespaces().length, 'base, and those that were there last').toBeLessThan(70);
    expect(namespaces().at(-1)).toBe(`${base}-00000063`);
  });

  it('with an endpoint, receives only the loads of this endpoint in each generation', () => {
    const { keys, subjects } = following({
      endpoint: 'backend.generate',
      prefillEndpoint: 'prefill.generate',
    });
    keys.apply(worker(1, `${a}/backend/generate`));
    const expected = (namespace: string) => [
      `namespace.${namespace}.kv_metrics`,
      `namespace.${namespace}.component.backend.endpoint.generate.kv_metrics`,
      `namespace.${namespace}.component.prefill.endpoint.generate.kv_metrics`,
    ];
    expect(subjects()).toEqual([...expected(base), ...expected(a)]);
  });

  it.each([
    [{ namespaceMatch: 'exact' }, [base]],
    [{ namespaceMatch: 'prefix' }, [base, `${base}-bar`, a]],
    [{ endpoint: `${a}.backend.generate` }, [a]],
  ] as const)('with %j it receives those of the selected namespaces only', (options, expected) => {
    const { keys, namespaces } = following(options);
    keys.apply([...worker(1, `${a}/backend/generate`), ...worker(2, `${base}-bar/backend/generate`)]);
    expect(namespaces().toSorted()).toEqual([...expected].toSorted());
  });

  it('the decode and prefill workers of all generations are judged together, and apart by pool', () => {
    const { keys, fleet } = following({ endpoint: 'backend.generate', prefillEndpoint: 'prefill.generate' });
    keys.apply([...worker(1, `${a}/backend/generate`), ...worker(2, `${b}/backend/generate`)]);
    keys.apply(worker(3, `${b}/prefill/generate`));
    const { sources } = fleet.pool();
    expect(heard(sources.decodeInstances ?? NEVER)).toEqual([new Set([id(1), id(2)])]);
    const [prefill$] = heard((sources.prefillInstances ?? of()) as Observable<Observable<unknown>>);
    expect(heard(prefill$ ?? NEVER)).toEqual([new Set([id(3)])]);
    expect(heard(fleet.pool({ model: 'tiny', endpoint: at(b) }).instances$)).toEqual([new Set([id(2)])]);
  });
});

describe('the sources of a pool with a prefill endpoint', () => {
  const [backend, prefill] = ['dynamo/backend/generate', 'dynamo/prefill/generate'];
  const scope = { endpoint: 'dynamo.backend.generate', prefillEndpoint: 'dynamo.prefill.generate' };
  const fleetOf = (options: typeof scope | Omit<typeof scope, 'endpoint'>) => {
    const { keys, fleet } = inMemory(options);
    keys.apply([...worker(7, backend), ...worker(8, prefill)]);
    return fleet;
  };
  const ids = (values: readonly unknown[]): unknown => values[0];

  it.each([
    ['with an endpoint', scope],
    ['without', { prefillEndpoint: scope.prefillEndpoint }],
  ])('a selection of both roles has them apart - %s', (_, options) => {
    const { sources } = fleetOf(options).pool();
    expect(ids(heard(sources.decodeInstances ?? NEVER))).toEqual(new Set([id(7)]));
    const [prefill$] = heard((sources.prefillInstances ?? of()) as Observable<Observable<unknown>>);
    expect(ids(heard(prefill$ ?? NEVER))).toEqual(new Set([id(8)]));
    expect(ids(heard(sources.configs ?? NEVER))).toEqual(
      new Map([
        [id(7), { totalKvBlocks: 100 }],
        [id(8), { totalKvBlocks: 100 }],
      ]),
    );
  });

  it.each([
    ['the role decode', { role: 'decode' }, 7],
    ['the role prefill', { role: 'prefill' }, 8],
    ['the prefill endpoint', { endpoint: 'dynamo.prefill.generate' }, 8],
  ] as const)('%s is the one kind of instances', (_, selector, expected) => {
    const { sources } = fleetOf(scope).pool(selector);
    expect(sources.prefillInstances).toBeUndefined();
    expect(ids(heard(sources.decodeInstances ?? NEVER))).toEqual(new Set([id(expected)]));
  });
});
