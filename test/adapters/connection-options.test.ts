import fc from 'fast-check';
import { EMPTY, NEVER, type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type EtcdOptions, toEtcdOptions } from '../../src/adapters/etcd/etcd-options.js';
import { registerKeys } from '../../src/adapters/etcd/register-keys.js';
import { registerWorker } from '../../src/fleet/register-worker.js';
import { watchPrefix } from '../../src/adapters/etcd/watch-prefix.js';
import { natsMessages } from '../../src/adapters/nats/nats-messages.js';
import { type NatsConnectionOptions, toNatsConnectionOptions } from '../../src/adapters/nats/nats-options.js';
import { natsPublisher } from '../../src/adapters/nats/nats-publisher.js';
import { scrapeStats } from '../../src/adapters/nats/scrape-stats.js';
import { serveStats } from '../../src/adapters/nats/serve-stats.js';
import { metricsAggregator } from '../../src/core/aggregator/metrics-aggregator.js';
import { TidemarkError } from '../../src/core/errors.js';
import { MemoryKeys } from '../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../src/core/sources/message-source.js';
import { loadMessages } from '../../src/dynamo/publishing/load-messages.js';
import { workerKeys } from '../../src/dynamo/publishing/worker-keys.js';
import { type DynamoFleetOptions, dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import { retryWithBackoff } from '../../src/operators/retry-with-backoff.js';
import { frontendThresholds } from '../../src/service/frontends/frontend-thresholds.js';
import { workerId } from '../../src/core/worker-id.js';
import { simulateFleet } from '../../src/simulator/simulate-fleet.js';

type Given = Readonly<Record<string, unknown>>;

/** A function that connects, valid options of it, and the options of each kind among them. */
interface EntryPoint {
  readonly call: (given: never) => unknown;
  readonly valid: Given;
  /** Options that give servers of NATS, or hosts of etcd. */
  readonly nats?: 'nats' | 'servers';
  readonly etcd?: 'etcd' | 'hosts';
  readonly endpoint?: true;
  readonly namespace?: true;
  readonly release?: true;
}

const nats = 'nats://127.0.0.1:4222';
const etcd = 'http://127.0.0.1:2379';
const endpoint = 'dynamo.backend.generate';
const names = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
const transport = { kind: 'tcp', address: '10.0.0.5:41000/generate' };

const entryPoints: Readonly<Record<string, EntryPoint>> = {
  natsMessages: { call: natsMessages, valid: { servers: nats, source: 'events' }, nats: 'servers' },
  natsPublisher: { call: natsPublisher, valid: { servers: nats }, nats: 'servers' },
  loadMessages: {
    call: loadMessages,
    valid: { endpoint: names, as: 'worker', release: '1.6', publisherId: '7' },
    endpoint: true,
    release: true,
  },
  scrapeStats: { call: (given) => scrapeStats(given, null), valid: { servers: nats }, nats: 'servers' },
  serveStats: { call: (given) => serveStats(given, 'a', []), valid: { servers: nats }, nats: 'servers' },
  watchPrefix: { call: watchPrefix, valid: { hosts: etcd, prefixes: 'a/' }, etcd: 'hosts' },
  registerKeys: { call: registerKeys, valid: { hosts: etcd, entries: () => [] }, etcd: 'hosts' },
  workerKeys: {
    call: (given) => workerKeys(given)(workerId('7')),
    valid: { ...names, transport, release: '1.6' },
    namespace: true,
    release: true,
  },
  registerWorker: {
    call: registerWorker,
    valid: { etcd, ...names, transport, release: '1.6' },
    etcd: 'etcd',
    namespace: true,
    release: true,
  },
  dynamoFleet: {
    call: dynamoFleet,
    valid: { nats, etcd, endpoint },
    nats: 'nats',
    etcd: 'etcd',
    endpoint: true,
    namespace: true,
    release: true,
  },
  'dynamoFleet, scraped': {
    call: dynamoFleet,
    valid: { nats, etcd, endpoint, scrape: true },
    nats: 'nats',
    etcd: 'etcd',
    endpoint: true,
    namespace: true,
    release: true,
  },
  'dynamoFleet, over other sources': {
    call: dynamoFleet,
    valid: { events: new MemoryMessages(), discovery: new MemoryKeys() },
    namespace: true,
    release: true,
  },
};
const all = Object.entries(entryPoints);

/** The error of a call; `null` if it does not throw. */
function errorOf(call: EntryPoint['call'], given: unknown): unknown {
  try {
    call(given as never);
    return null;
  } catch (error) {
    return error;
  }
}

/** Expects a typed error with a sentence, whose message is about one of some words. */
function expectRefused(call: EntryPoint['call'], given: unknown, name: RegExp, about: RegExp): void {
  const error = errorOf(call, given);
  expect(error, `no error for ${String(given)}`).toBeInstanceOf(TidemarkError);
  const { name: actual, code, message } = error as TidemarkError;
  expect(actual).toMatch(name);
  expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(message).toMatch(about);
  expect(message).toMatch(/\.$/);
}

const wrongUrls = [
  null,
  5,
  true,
  [],
  [5],
  '',
  ' ',
  'x:y:z',
  'ftp://x',
  'nats://x,',
  () => 1,
  { a: 1 },
  [null],
];
const wrongNames = [null, 5, '', {}, [], true];

describe('options that cannot be intended', () => {
  it.each(all)('%s - accepts valid options', (_, { call, valid }) => {
    expect(errorOf(call, valid)).toBeNull();
  });

  it.each(all)('%s - refuses no options at all', (_, { call }) => {
    for (const given of [undefined, null, 5, true, [], {}])
      expectRefused(call, given, /Error$/, /must be|needs/);
  });

  it.each(all)('%s - refuses servers of NATS that cannot be meant', (_, { call, valid, nats: option }) => {
    if (option === undefined) return;
    for (const url of [...wrongUrls, 'http://x:4222', ['http://x:4222']])
      expectRefused(call, { ...valid, [option]: url }, /^NatsOptionsError$/, /nats|server/i);
    expectRefused(call, { ...valid, [option]: undefined }, /Error$/, /nats|server/i);
    for (const more of [
      { auth: 5 },
      { auth: {} },
      { auth: { user: 'a' } },
      { tls: 5 },
      { tls: { ca: 5 } },
      { name: 5 },
    ]) {
      const given =
        option === 'nats' ? { ...valid, nats: { servers: nats, ...more } } : { ...valid, ...more };
      expectRefused(call, given, /^NatsOptionsError$/, new RegExp(Object.keys(more).join('')));
    }
  });

  it.each(all)('%s - refuses hosts of etcd that cannot be meant', (_, { call, valid, etcd: option }) => {
    if (option === undefined) return;
    for (const url of [...wrongUrls, 'nats://x:2379', ['nats://x:2379']])
      expectRefused(call, { ...valid, [option]: url }, /^EtcdOptionsError$/, /etcd|host/i);
    expectRefused(call, { ...valid, [option]: undefined }, /Error$/, /etcd|host/i);
    for (const more of [{ auth: 5 }, { auth: {} }, { tls: 5 }, { tls: { ca: 5 } }, { keyPrefix: 5 }]) {
      const given = option === 'etcd' ? { ...valid, etcd: { hosts: etcd, ...more } } : { ...valid, ...more };
      expectRefused(call, given, /^EtcdOptionsError$/, new RegExp(Object.keys(more).join('')));
    }
  });

  it.each(all)('%s - refuses endpoints, namespaces and releases', (_, { call, valid, ...has }) => {
    if (has.endpoint === true) {
      for (const name of [...wrongNames, 'generate', 'a..b', { component: 'a' }, { ...names, endpoint: 5n }])
        expectRefused(call, { ...valid, endpoint: name }, /^EndpointNameError$/, /endpoint|namespace/);
    }
    if (has.namespace === true) {
      for (const name of wrongNames)
        expectRefused(call, { ...valid, namespace: name }, /^(Scope|EndpointName)Error$/, /name/);
    }
    if (has.release === true) {
      for (const release of [null, '', '9.9', 1.6])
        expectRefused(call, { ...valid, release }, /Error$/, /release must be "/);
    }
  });

  it.each(all)('%s - refuses schedulers, and names that are not options', (_, { call, valid }) => {
    expectRefused(
      call,
      { ...valid, endpont: 'a' },
      /Error$/,
      /^endpont is not an option of \w+: the options are/,
    );
    // One for each connection.
    if ('nats' in valid || 'etcd' in valid) return;
    const about = /scheduler (must be a scheduler|is not an option)/;
    expectRefused(call, { ...valid, scheduler: {} }, /Error$/, about);
  });

  it.each(all)('%s - shows no password', (_, { call, valid }) => {
    const auth = { username: 'u', password: 'secret', user: 'u', token: 'secret' };
    const given =
      'nats' in valid ? { ...valid, nats: { servers: nats, auth } } : { ...valid, auth, scheduler: auth };
    expect(String(errorOf(call, given))).not.toContain('secret');
  });

  it.each(all)(
    '%s - never throws anything but a TidemarkError, whatever one option is',
    (_, { call, valid }) => {
      const options = [
        ...Object.keys(valid),
        'scheduler',
        'namespace',
        'endpoint',
        'prefillEndpoint',
        'card',
        'stop$',
      ];
      fc.assert(
        fc.property(
          fc.constantFrom(...options),
          fc.anything({ withBigInt: true, withNullPrototype: true }),
          (name, value) => {
            const error = errorOf(call, { ...valid, [name]: value });
            if (error !== null) expect(error).toBeInstanceOf(TidemarkError);
          },
        ),
      );
    },
  );
});

describe('what stands for a connection', () => {
  const toNats = (given: unknown) => toNatsConnectionOptions(given as NatsConnectionOptions);
  const toEtcd = (given: unknown) => toEtcdOptions(given as EtcdOptions);
  const wrong = [
    ...wrongUrls,
    undefined,
    NaN,
    7n,
    Symbol('x'),
    {},
    { servers: '' },
    { hosts: '' },
    { tls: {} },
  ];

  it.each([...wrong, 'http://x', 'http://x:4222', { servers: nats, tls: { handshakeFirst: 'yes' } }])(
    'nats: %o is refused in one sentence',
    (given) => expectRefused(toNats, given, /^NatsOptionsError$/, /nats|server|handshakeFirst/i),
  );

  it.each([...wrong, 'nats://x', 'http://me:secret@x', { hosts: etcd, tls: { ca: 'x' } }])(
    'etcd: %o is refused in one sentence',
    (given) => expectRefused(toEtcd, given, /^EtcdOptionsError$/, /etcd|host|user/i),
  );

  it('nats: a URL, options or a connection', () => {
    const link = { subscribe: () => undefined };
    expect(toNats(nats)).toEqual({ servers: nats });
    expect(toNats({ servers: nats, name: 'a' })).toEqual({ servers: nats, name: 'a' });
    expect(toNats({ connection: link })).toEqual({ connection: link });
    expect(toNats(link)).toEqual({ connection: link });
  });

  it('etcd: a URL or options', () => {
    expect(toEtcd(etcd)).toEqual({ hosts: etcd });
    expect(toEtcd({ hosts: [etcd], keyPrefix: 'a/' })).toEqual({ hosts: [etcd], keyPrefix: 'a/' });
  });
});

describe('other options that cannot be intended', () => {
  const anything: readonly unknown[] = [undefined, null, 5, 'x', [], {}];
  const service = (given: unknown) => serveStats({ servers: nats }, given as string, []);
  const published = { endpoint: names, as: 'worker', release: '1.6', publisherId: '7' } as const;
  const aggregator = { service: 's', endpoint: 'e', decode: () => ({ endpoints: [] }) };

  it.each<[string, (given: never) => unknown, readonly unknown[]]>([
    ['scrapeStats, service', (given) => scrapeStats({ servers: nats }, given), [undefined, 5, '', 'a b', {}]],
    [
      'scrapeStats, options',
      (given) => scrapeStats({ servers: nats }, null, given),
      [null, 5, { windowMs: '3' }, { a: 1 }],
    ],
    [
      'serveStats, service',
      service,
      [undefined, null, 5, '', {}, { name: 'a', id: 5 }, { name: 'a', nam: 'b' }],
    ],
    [
      'serveStats, endpoints',
      (given) => serveStats({ servers: nats }, 'a', given),
      [undefined, null, 'x', [null], [{}], [{ subject: 5 }]],
    ],
    [
      'registerWorker, transport',
      (given) => registerWorker({ etcd, ...names, release: '1.6', transport: given }),
      anything,
    ],
    [
      'registerWorker, others',
      (given: object) => registerWorker({ etcd, ...names, release: '1.6', transport, ...given } as never),
      [
        { workerId: 'x' },
        { workerId: 7 },
        { ttlSeconds: '3' },
        { card: {} },
        Object.fromEntries([['stop$', 5]]),
        { moreEndpoints: [5] },
      ],
    ],
    [
      'registerKeys, others',
      (given: object) => registerKeys({ hosts: etcd, entries: () => [], ...given }),
      [
        { entries: undefined },
        { entries: [] },
        { leaseId: 7 },
        { leaseId: '0' },
        { leaseId: '9223372036854775808' },
        { ttlSeconds: 0 },
        { ttlSeconds: 1.5 },
        { ttlSeconds: '3' },
        Object.fromEntries([['stop$', 5]]),
      ],
    ],
    ['loadMessages, publisherId', (given) => loadMessages({ ...published, publisherId: given }), anything],
    ['loadMessages, as', (given) => loadMessages({ ...published, as: given }), anything],
    [
      'dynamoFleet, others',
      (given: object) => dynamoFleet({ nats, etcd, ...given } as DynamoFleetOptions),
      [
        { events: {} },
        { discovery: 5 },
        { form: 'rows' },
        { scrape: 'yes' },
        { scrape: { windowMs: '3' }, endpoint },
        { scrape: { aggregator: { waitMs: '3' } }, endpoint },
        { prefillEndpoint: 'generate' },
        { endpoint, prefillEndpoint: 'other.prefill.generate' },
        { scheduler: {} },
      ],
    ],
    [
      'metricsAggregator',
      (given: object) => metricsAggregator(EMPTY, { ...aggregator, ...given }),
      [{ service: undefined }, { decode: 5 }, { waitMs: '5' }, { policy: null }, { scheduler: {} }],
    ],
    ['retryWithBackoff', (given) => retryWithBackoff(given), anything],
    ['simulateFleet', (given) => [...simulateFleet(given)], anything],
    [
      'frontendThresholds',
      (given) => frontendThresholds(given),
      [...anything, { urls: 'http://x' }, { urls: [''] }],
    ],
  ])('%s', (_, call, wrong) => {
    for (const given of wrong) expectRefused(call, given, /Error$/, /./);
  });

  it.each<[string, DynamoFleetOptions, RegExp]>([
    ['nothing', {}, /either nats.*either etcd/],
    ['only nats', { nats }, /^dynamoFleet needs either etcd, .* or discovery, a source of keys\.$/],
    ['only etcd', { etcd }, /^dynamoFleet needs either nats, .* or events, a source of messages\.$/],
    ['both nats and events', { nats, events: new MemoryMessages(), etcd }, /^dynamoFleet needs either nats/],
    [
      'both etcd and discovery',
      { nats, etcd, discovery: new MemoryKeys() },
      /^dynamoFleet needs either etcd/,
    ],
    ['a scrape without an endpoint', { nats, etcd, scrape: true }, /^scrape needs the endpoint to poll/],
    [
      'a scrape without nats',
      { events: new MemoryMessages(), etcd, endpoint, scrape: {} },
      /^scrape needs nats/,
    ],
  ])('dynamoFleet, %s', (_, given, about) => {
    expectRefused(dynamoFleet, given, /^TidemarkError$/, about);
    expect((errorOf(dynamoFleet, given) as TidemarkError).code).toBe('fleet-options');
  });

  it('dynamoFleet - does not scrape when that is false or undefined', () => {
    const given = { events: new MemoryMessages(), etcd };
    for (const scrape of [false, undefined]) expect(() => dynamoFleet({ ...given, scrape })).not.toThrow();
  });

  it('an option that is undefined is absent', () => {
    const options = { ...aggregator, policy: undefined, scheduler: undefined, waitMs: undefined };
    expect(() => metricsAggregator(NEVER, options as never)).not.toThrow();
    const output$: Observable<unknown> = of(1).pipe(retryWithBackoff({ initialMs: 1, maxMs: 1 }));
    expect(output$).toBeDefined();
  });
});
