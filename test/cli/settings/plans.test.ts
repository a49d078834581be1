import { describe, expect, it } from 'vitest';
import { fleetPlan, simulatePlan } from '../../../src/cli/live/live-plans.js';
import { requireServePlan, resolveServePlan } from '../../../src/cli/serve/serve-plan.js';
import type { ChosenFleet } from '../../../src/cli/settings/fleet-settings.js';
import type { Environment, Flags } from '../../../src/cli/settings/resolve-settings.js';
import { chosenRules } from '../../../src/cli/settings/rule-settings.js';
import { pickThresholds } from '../../../src/core/policy/load-thresholds.js';
import { pathOf, writeFile } from './config-folder.js';

type Plan = (flags: Flags, environment: Environment) => Promise<{ readonly fleet: ChosenFleet | null }>;
const fleetPlans: readonly (readonly [string, Plan])[] = [
  ['watch', (flags, environment) => fleetPlan('watch', flags, environment)],
  ['record', (flags, environment) => fleetPlan('record', flags, environment)],
  ['serve', requireServePlan],
];
const rulePlans = [...fleetPlans, ['simulate', simulatePlan]] as readonly (readonly [
  string,
  typeof simulatePlan,
])[];

describe.each(fleetPlans)('the fleet of tidemark %s', (_, plan) => {
  it('without settings: the servers of this machine, and everything on them', async () => {
    expect((await plan({}, {})).fleet).toEqual({
      options: { nats: { servers: ['nats://localhost:4222'] }, etcd: { hosts: ['http://localhost:2379'] } },
      text: 'every namespace, every endpoint',
    });
  });

  it('has the chosen namespace, endpoints and scrapes', async () => {
    const environment = { DYN_NAMESPACE: 'prod', TIDEMARK_SCRAPE: 'true' };
    const flags = { nats: 'a,b', endpoint: 'backend.generate', prefillEndpoint: 'prefill.generate' };
    expect((await plan(flags, environment)).fleet).toEqual({
      options: {
        nats: { servers: ['a', 'b'] },
        etcd: { hosts: ['http://localhost:2379'] },
        namespace: 'prod',
        endpoint: 'backend.generate',
        prefillEndpoint: 'prefill.generate',
        scrape: true,
      },
      text: 'namespace prod and its generations, endpoint backend.generate, prefill endpoint prefill.generate',
    });
  });

  it.each([
    [{ DYN_NAMESPACE: 'base' }, {}, { namespace: 'base' }, 'namespace base and its generations'],
    [
      { DYN_NAMESPACE_PREFIX: 'base', DYN_NAMESPACE: 'base-1a2b3c4d' },
      {},
      { namespace: 'base' },
      'namespace base and its generations',
    ],
    [
      { DYN_NAMESPACE_PREFIX: 'base' },
      { namespace: 'prod' },
      { namespace: 'prod' },
      'namespace prod and its generations',
    ],
    [
      { DYN_NAMESPACE_PREFIX: '', DYN_NAMESPACE: 'base' },
      { namespaceMatch: 'exact' },
      { namespace: 'base', namespaceMatch: 'exact' },
      'namespace base alone',
    ],
    [
      { DYN_NAMESPACE_PREFIX: 'base', TIDEMARK_NAMESPACE_MATCH: 'prefix' },
      {},
      { namespace: 'base', namespaceMatch: 'prefix' },
      'every namespace that begins with base',
    ],
  ])('with %j and the flags %j: %j', async (environment, flags, options, text) => {
    const { fleet } = await plan(flags, environment);
    expect(fleet).toMatchObject({ options, text: `${text}, every endpoint` });
    expect(fleet?.options.namespaceMatch).toBe(
      'namespaceMatch' in options ? options.namespaceMatch : undefined,
    );
  });

  it.each<[Flags, string]>([
    [{ namespaceMatch: 'prefix' }, 'namespace-match needs a namespace: set it, as in --namespace prod.'],
    [{ scrape: true }, 'scrape needs an endpoint to poll: set it, as in --endpoint backend.generate.'],
    [{ nats: 'http://x' }, '"http://x" is not a valid server: write nats://HOST:PORT or tls://HOST:PORT.'],
    [{ etcd: 'ftp://x' }, '"ftp://x" is not a valid host: write http://HOST:PORT or https://HOST:PORT.'],
    [{ nats: '' }, 'nats must be one or more values, not "" (flag --nats).'],
    [{ namespace: '' }, 'namespace must be a value, not "" (flag --namespace).'],
    [
      { namespace: 'a/b' },
      '"a/b" is not a valid namespace: it must not contain a slash. Leave it out to see all.',
    ],
    [
      { endpoint: 'backend.generate' },
      '"backend.generate" has no namespace: write namespace.component.endpoint, or set the namespace option.',
    ],
    [{ namespace: 'a', prefillEndpoint: 'b.c.d' }, '"b.c.d" is outside the watched namespace "a".'],
    [
      { activeDecodeBlocksThreshold: '2' },
      'activeDecodeBlocksThreshold must be a number from 0 to 1, not "2" (flag --active-decode-blocks-threshold).',
    ],
  ])('%j is refused with a sentence', async (flags, message) => {
    await expect(plan(flags, {})).rejects.toMatchObject({ code: 'settings', message });
  });

  it('all problems are reported together', async () => {
    const flags = { nats: 'http://x', etcd: 'ftp://x', policy: 'mine', scrape: true, natsTlsKey: 'k' };
    const environment = { NATS_AUTH_USERNAME: 'u', ETCD_AUTH_PASSWORD: 'p', NATS_TLS_CA_CERT_PATH: '/none' };
    await expect(plan(flags, environment)).rejects.toMatchObject({ problems: { length: 8 } });
  });
});

describe.each(rulePlans)('the rules of tidemark %s', (_, plan) => {
  const thresholds = async (flags: Flags, environment: Environment): Promise<object> =>
    pickThresholds((await plan(flags, environment)).rules.thresholds);

  it('thresholds come from Dynamo’s own variables, and None turns a check off', async () => {
    const environment = {
      DYN_ACTIVE_DECODE_BLOCKS_THRESHOLD: '0.85',
      DYN_ACTIVE_PREFILL_TOKENS_THRESHOLD: '18446744073709551615',
      DYN_ACTIVE_PREFILL_TOKENS_THRESHOLD_FRAC: 'None',
    };
    expect(await thresholds({}, environment)).toEqual({
      activeDecodeBlocksThreshold: 0.85,
      activePrefillTokensThreshold: 18446744073709551615n,
      activePrefillTokensThresholdFrac: null,
    });
    expect(await thresholds({ activeDecodeBlocksThreshold: 'none' }, environment)).toMatchObject({
      activeDecodeBlocksThreshold: null,
    });
  });

  it('without a threshold, those of the policy are used', async () => {
    expect(await thresholds({}, { TIDEMARK_POLICY: 'dynamo-1.0' })).toMatchObject({
      activeDecodeBlocksThreshold: 1,
    });
  });
});

describe('chosenRules', () => {
  const defaults = { activeDecodeBlocksThreshold: 0.85 };
  const none = { activePrefillTokensThreshold: undefined, activePrefillTokensThresholdFrac: undefined };

  it('the defaults of a command apply only if no threshold is set, not even to None', () => {
    for (const [activeDecodeBlocksThreshold, expected] of [
      [undefined, 0.85],
      [null, null],
      [0.5, 0.5],
    ] as const) {
      const { thresholds } = chosenRules(
        { policy: 'default', activeDecodeBlocksThreshold, ...none },
        defaults,
      );
      expect(thresholds.activeDecodeBlocksThreshold).toBe(expected);
    }
  });
});

describe('the plan of tidemark simulate', () => {
  it('has its own namespace, whatever DYN_NAMESPACE says', async () => {
    const environment = { DYN_NAMESPACE: 'prod' };
    expect((await simulatePlan({}, environment)).settings.simulateNamespace).toBe('tidemark-simulation');
    expect((await simulatePlan({ namespace: 'mine' }, environment)).settings.simulateNamespace).toBe('mine');
  });
});

describe('connections', () => {
  const connection = async (environment: Environment, flags: Flags = {}): Promise<unknown[]> => {
    const { nats, etcd } = await simulatePlan({ nats: 'a', etcd: 'https://c', ...flags }, environment);
    return [nats, etcd];
  };
  const servers = ['a'];
  const hosts = ['https://c'];

  it('without variables, or with empty ones: no credentials', async () => {
    const anonymous = [{ servers }, { hosts }];
    expect(await connection({})).toEqual(anonymous);
    expect(await connection({ NATS_AUTH_TOKEN: '', ETCD_AUTH_USERNAME: '' })).toEqual(anonymous);
  });

  it('several credentials for NATS: the same precedence as in Dynamo', async () => {
    const file = { NATS_AUTH_CREDENTIALS_FILE: writeFile('credentials', 'jwt') };
    const seed = { ...file, NATS_AUTH_NKEY: 'SU1' };
    const token = { ...seed, NATS_AUTH_TOKEN: 't' };
    const user = { ...token, NATS_AUTH_USERNAME: 'u', NATS_AUTH_PASSWORD: 'p' };
    for (const [environment, auth] of [
      [user, { user: 'u', password: 'p' }],
      [token, { token: 't' }],
      [seed, { nkeySeed: 'SU1' }],
      [file, { credentials: 'jwt' }],
    ] as const)
      expect((await connection(environment))[0]).toEqual({ servers, auth });
  });

  it('certificates are files for NATS, and PEM text for etcd', async () => {
    const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => writeFile(`${name}.pem`, name));
    const tls = { ca: 'ca', cert: 'cert', key: 'key' };
    expect(
      await connection({
        NATS_TLS_CA_CERT_PATH: ca,
        NATS_TLS_CLIENT_CERT_PATH: cert,
        NATS_TLS_CLIENT_KEY_PATH: key,
        TIDEMARK_NATS_TLS_FIRST: 'true',
        ETCD_AUTH_USERNAME: 'u',
        ETCD_AUTH_PASSWORD: 'p',
        ETCD_AUTH_CA: 'ca',
        ETCD_AUTH_CLIENT_CERT: 'cert',
        ETCD_AUTH_CLIENT_KEY: 'key',
      }),
    ).toEqual([
      { servers, tls: { ...tls, handshakeFirst: true } },
      { hosts, auth: { username: 'u', password: 'p' }, tls },
    ]);
    expect(await connection({}, { natsTlsFirst: true })).toEqual([
      { servers, tls: { handshakeFirst: true } },
      { hosts },
    ]);
  });

  it.each([
    [{ NATS_AUTH_USERNAME: 'u' }, 'natsUsername (NATS_AUTH_USERNAME) and natsPassword (NATS_AUTH_PASSWORD)'],
    [
      { NATS_TLS_CLIENT_KEY_PATH: 'k' },
      'natsTlsCert (NATS_TLS_CLIENT_CERT_PATH) and natsTlsKey (NATS_TLS_CLIENT_KEY_PATH)',
    ],
    [{ ETCD_AUTH_PASSWORD: 'p' }, 'etcdUsername (ETCD_AUTH_USERNAME) and etcdPassword (ETCD_AUTH_PASSWORD)'],
    [
      { ETCD_AUTH_CLIENT_CERT: 'c' },
      'etcdTlsCert (ETCD_AUTH_CLIENT_CERT) and etcdTlsKey (ETCD_AUTH_CLIENT_KEY)',
    ],
  ])('half of a pair, %j, is refused', async (environment, names) => {
    await expect(connection(environment)).rejects.toThrow(
      `${names} must be set together: set both or neither.`,
    );
  });

  it('a file that does not exist is refused', async () => {
    await expect(connection({ NATS_TLS_CA_CERT_PATH: pathOf('none') })).rejects.toThrow(/Cannot read .*none/);
  });
});

describe('the plan of tidemark serve', () => {
  it('the policy is that of the release, unless a policy is set', async () => {
    const policy = async (flags: Flags): Promise<string> =>
      (await requireServePlan(flags, {})).rules.policy.name;
    expect(await policy({})).toBe('default');
    expect(await policy({ generation: '1.0' })).toBe('dynamo-1.0');
    expect(await policy({ generation: '1.0', policy: 'default' })).toBe('default');
  });

  it('a simulated fleet has no connection, and its size has no effect on a live fleet', async () => {
    const environment = { TIDEMARK_WORKERS: '3', NATS_AUTH_USERNAME: 'u' };
    expect((await requireServePlan({ simulate: true, seed: '3' }, environment)).fleet).toBeNull();
    const live = await resolveServePlan({ seed: '3' }, { TIDEMARK_WORKERS: '3' });
    expect(live.problems).toEqual(['seed only applies with --simulate: add --simulate, or remove seed.']);
  });

  it('the admin token may be in a file, and is validated', async () => {
    const token = writeFile('token', 'a-good-token\n');
    expect((await requireServePlan({ adminTokenFile: token }, {})).adminToken).toBe('a-good-token');
    const wrong = [
      [{ adminTokenFile: token, adminToken: 'another-token' }, /both set/],
      [{ adminToken: 'short' }, /at least 8 characters/],
      [{ adminToken: 'with space in it' }, /without spaces/],
      [{ adminTokenFile: pathOf('none') }, /does not exist/],
    ] as const;
    for (const [flags, problem] of wrong)
      expect((await resolveServePlan(flags, {})).problems).toEqual([expect.stringMatching(problem)]);
  });
});
