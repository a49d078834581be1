import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EtcdOptions } from '../../../src/adapters/etcd/etcd-options.js';
import { makeCertificates, type Certificates } from '../../support/certificates.js';
import { describeWith } from '../../support/describe-with.js';
import { inFaultRuns } from '../../support/in-fault-runs.js';
import type { Follower } from './follower.js';
import { hurried } from './schedulers.js';
import { startWorld } from './world.js';

const auth = { username: 'tidemark', password: 'tide-and-mark' };
const WRONG = 'ebb-and-flood';
/** The longest that a first word about a wrong connection may take. */
const SOON_MS = 5_000;

/** Asserts that no emission contains a secret. */
function expectDiscreet(follower: Follower): void {
  const said = JSON.stringify([follower.statuses, follower.errors.map(String)]);
  expect(said).not.toContain(auth.password);
  expect(said).not.toContain(WRONG);
  expect(said).not.toContain('PRIVATE KEY');
}

describeWith('etcd', 'a server that wants a password', () => {
  it.concurrent(
    'reports everything to a permitted user, over a restart that invalidates all tokens',
    async () => {
      await using world = await startWorld({ auth });
      using follower = world.follow({ auth });
      await follower.until('live');
      await world.truth.many('v1/', 3);
      const { mark } = follower;
      await world.server.restart();
      await follower.until('down', mark);
      await world.truth.many('v1/', 3);
      await follower.hears(world.truth);
      expectDiscreet(follower);
    },
  );

  it.concurrent('reports a wrong password, and recovers when it becomes the right one', async () => {
    await using world = await startWorld({ auth });
    using follower = world.follow({ auth: { ...auth, password: WRONG } });
    const { why, retryInMs } = await follower.until('down', 0, SOON_MS);
    expect(why).toMatch(/^etcd at .*, logging in: .*authentication failed.*Check the user and the password/);
    expect(retryInMs).toBeGreaterThan(0);
    await follower.until('down', follower.mark);
    await world.truth.put('v1/a', 'x');
    await world.truth.gateway.changePassword(auth.username, WRONG);
    await follower.until('live');
    expect([...follower.present.keys()]).toEqual(['v1/a']);
    expectDiscreet(follower);
  });

  it.concurrent('is refused without a user, with that reason', async () => {
    await using world = await startWorld({ auth });
    using follower = world.follow();
    const { why } = await follower.until('down', 0, SOON_MS);
    expect(why).toMatch(/user name is empty.*Check the user and the password/);
  });

  it.concurrent('a password for a server that wants none is a sentence, too', async () => {
    await using world = await startWorld();
    using follower = world.follow({ auth });
    const { why } = await follower.until('down', 0, SOON_MS);
    expect(why).toMatch(/authentication is not enabled.*whether authentication is enabled on the server/);
    expectDiscreet(follower);
  });

  inFaultRuns(() => {
    it('stays live when a token has run out', async () => {
      await using world = await startWorld({ auth, authTokenTtlSeconds: 1 });
      using follower = world.follow({ auth, scheduler: hurried(2) });
      await follower.until('live');
      // Until a probe or an audit uses a token that is no longer valid.
      await sleep(5_000);
      expect(world.server.log).toMatch(/deleted a simple token/);
      await world.truth.many('v1/', 3);
      await follower.hears(world.truth);
      expect(follower.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
    });
  });

  it.concurrent(
    'reports the prefix that a user may not read, and continues with the permission',
    async () => {
      await using world = await startWorld({ auth });
      const { gateway } = world.truth;
      const guest = { username: 'guest', password: 'only-a-guest' };
      await gateway.addReader(guest, 'v1/mdc/');
      using allowed = world.follow({ auth: guest, prefixes: 'v1/mdc/', scheduler: hurried(4) });
      using refused = world.follow({ auth: guest, prefixes: ['v1/mdc/', 'v1/instances/'] });
      await allowed.until('live');
      const { why } = await refused.until('down', 0, SOON_MS);
      expect(why).toMatch(/listing v1\/instances\/: .*permission denied.*Check the role/);
      await world.truth.put('v1/mdc/a', 'x');
      await allowed.hears(world.truth);
      await gateway.allow(guest.username, 'v1/instances/');
      await refused.until('live');
      // The probe asks for a key that this user may read.
      await sleep(2_000);
      expect(allowed.state).toBe('live');
      expect(refused.state).toBe('live');
    },
  );
});

describeWith(['etcd', 'openssl'], 'a server that speaks TLS', () => {
  let folder: string;
  let certificates: Certificates;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'));
    certificates = await makeCertificates(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const server = (clientCertAuth = false) => ({
    tls: { ca: certificates.ca, ...certificates.server, clientCertAuth },
  });
  const ca = (): Buffer => readFileSync(certificates.ca);
  const client = () => ({
    ca: ca(),
    cert: readFileSync(certificates.client.cert),
    key: readFileSync(certificates.client.key, 'utf8'),
  });

  it.concurrent('with our own authority and a client certificate: nothing is lost over a cut', async () => {
    await using world = await startWorld(server(true));
    using follower = world.follow({ tls: client() });
    await follower.until('live');
    const { mark } = follower;
    world.proxy.cut();
    await world.truth.many('v1/', 5);
    await follower.until('live', mark);
    await follower.hears(world.truth);
    expectDiscreet(follower);
  });

  it.concurrent('under another name, which is given', async () => {
    await using world = await startWorld(server());
    using follower = world.follow({ tls: { ca: ca(), serverName: 'localhost' } });
    await follower.until('live');
    using wrong = world.follow({ tls: { ca: ca(), serverName: 'elsewhere.example' } });
    expect((await wrong.until('down', 0, SOON_MS)).why).toMatch(/elsewhere\.example.*Check the scheme/);
  });

  const wrong: readonly [string, RegExp, boolean, () => Omit<Partial<EtcdOptions>, 'keyPrefix'>][] = [
    [
      'an authority that signed nothing here',
      /certificate.*Check the scheme/,
      false,
      () => ({ tls: { ca: readFileSync(certificates.otherCa) } }),
    ],
    ['no authority', /certificate.*Check the scheme/, false, () => ({})],
    [
      'no client certificate where one is demanded',
      /Check the scheme .*client certificate/,
      true,
      () => ({ tls: { ca: ca() } }),
    ],
  ];
  it.concurrent.each(wrong)('%s: a sentence within 5 s', async (_, text, demanded, options) => {
    await using world = await startWorld(server(demanded));
    using follower = world.follow(options());
    const { why } = await follower.until('down', 0, SOON_MS);
    expect(why).toContain(`etcd at ${world.hosts}`);
    expect(why).toMatch(text);
    await follower.until('down', follower.mark);
    expectDiscreet(follower);
  });

  it.concurrent('http to https, and https to http: a sentence within 5 s', async () => {
    await using secure = await startWorld(server());
    await using plain = await startWorld();
    using one = secure.follow({ hosts: secure.hosts.replace('https:', 'http:') });
    using other = plain.follow({ hosts: plain.hosts.replace('http:', 'https:'), tls: { ca: ca() } });
    expect((await one.until('down', 0, SOON_MS)).why).toMatch(/the server closed the connection.*https/);
    expect((await other.until('down', 0, SOON_MS)).why).toMatch(/Check the scheme/);
  });
});
