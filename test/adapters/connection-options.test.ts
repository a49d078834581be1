import fc from 'fast-check';
import { EMPTY, NEVER, type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type EtcdOptions, toEtcdOptions } from '../../src/adapters/etcd/etcd-options.js';
import { etcdDiscovery } from '../../src/adapters/etcd/etcd-discovery.js';
import { registerWorker } from '../../src/fleet/register-worker.js';
import { watchPrefix } from '../../src/adapters/etcd/watch-prefix.js';
import { natsLoads } from '../../src/dynamo/loads/receive-loads.js';
import { natsPublisher } from '../../src/dynamo/publishing/publish-loads.js';
import { scrapeStats } from '../../src/adapters/nats/scrape-stats.js';
import { serveStats } from '../../src/adapters/nats/serve-stats.js';
import { metricsAggregator } from '../../src/core/aggregator/metrics-aggregator.js';
import { TidemarkError } from '../../src/core/errors.js';
import { dynamoSources } from '../../src/fleet/dynamo-fleet.js';
import { scrapedSources } from '../../src/dynamo/scraped-sources.js';
import { retryWithBackoff } from '../../src/operators/retry-with-backoff.js';
import { frontendThresholds } from '../../src/service/frontends/frontend-thresholds.js';
import { liveFleet } from '../../src/fleet/fleet.js';
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
  natsLoads: { call: natsLoads, valid: { servers: nats }, nats: 'servers', namespace: true, release: true },
  natsPublisher: {
    call: natsPublisher,
    valid: { servers: nats, endpoint: names, as: 'worker', release: '1.6', publisherId: '7' },
    nats: 'servers',
    endpoint: true,
    release: true,
  },
  scrapeStats: { call: (given) => scrapeStats(given, null), valid: { servers: nats }, nats: 'servers' },
  serveStats: { call: (given) => serveStats(given, 'a', []), valid: { servers: nats }, nats: 'servers' },
  etcdDiscovery: { call: etcdDiscovery, valid: { hosts: etcd }, etcd: 'hosts', namespace: true },
  watchPrefix: { call: watchPrefix, valid: { hosts: etcd, prefixes: 'a/' }, etcd: 'hosts' },
  registerWorker: {
    call: registerWorker,
    valid: { hosts: etcd, ...names, transport, release: '1.6' },
    etcd: 'hosts',
    namespace: true,
    release: true,
  },
  dynamoSources: {
    call: dynamoSources,
    valid: { nats, etcd, endpoint },
    nats: 'nats',
    etcd: 'etcd',
    endpoint: true,
    namespace: true,
    release: true,
  },
  scrapedSources: {
    call: scrapedSources,
    valid: { nats, etcd, endpoint },
    nats: 'nats',
    etcd: 'etcd',
    endpoint: true,
    namespace: true,
  },
  liveFleet: { call: liveFleet, valid: { nats, etcd }, nats: 'nats', etcd: 'etcd', namespace: true },
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
    for (const url of [...wrongUrls, undefined, 'http://x:4222', ['http://x:4222']])
      expectRefused(call, { ...valid, [option]: url }, /^NatsOptionsError$/, /nats|server/i);
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
    for (const url of [...wrongUrls, undefined, 'nats://x:2379', ['nats://x:2379']])
      expectRefused(call, { ...valid, [option]: url }, /^EtcdOptionsError$/, /etcd|host/i);
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
        expectRefused(call, { ...valid, release }, /OptionsError$/, /release must be "/);
    }
  });

  it.each(all)('%s - refuses schedulers, and names that are not options', (_, { call, valid }) => {
    expectRefused(
      call,
      { ...valid, endpont: 'a' },
      /Error$/,
      /^endpont is not an option of \w+: the options are/,
    );
    if ('nats' in valid) return;
    expectRefused(call, { ...valid, scheduler: {} }, /OptionsError$/, /scheduler must be a scheduler/);
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
      (given) => registerWorker({ hosts: etcd, ...names, release: '1.6', transport: given }),
      anything,
    ],
    [
      'registerWorker, others',
      (given: object) =>
        registerWorker({ hosts: etcd, ...names, release: '1.6', transport, ...given } as never),
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

  it('an option that is undefined is absent', () => {
    const options = { ...aggregator, policy: undefined, scheduler: undefined, waitMs: undefined };
    expect(() => metricsAggregator(NEVER, options as never)).not.toThrow();
    const output$: Observable<unknown> = of(1).pipe(retryWithBackoff({ initialMs: 1, maxMs: 1 }));
    expect(output$).toBeDefined();
  });
});
