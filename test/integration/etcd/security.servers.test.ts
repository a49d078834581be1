import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EtcdOptions } from '../../../src/adapters/etcd/etcd-options.js';
import { makeCertificates, type Certificates } from '../../support/certificates.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import type { Follower } from './prefix-recorder.js';
import { hurried } from './schedulers.js';
import { startWorld } from './etcd-behind-proxy.js';

const auth = { username: 'tidemark', password: 'tide-and-mark' };
const WRONG = 'ebb-and-flood';
/** Nothing that was said holds a secret. */
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
    const { why, retryInMs } = await follower.until('down');
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
    const { why } = await follower.until('down');
    expect(why).toMatch(/user name is empty.*Check the user and the password/);
  });

  it.concurrent('a password for a server that wants none is a sentence, too', async () => {
    await using world = await startWorld();
    using follower = world.follow({ auth });
    const { why } = await follower.until('down');
    expect(why).toMatch(/authentication is not enabled.*whether the server has authentication enabled/);
    expectDiscreet(follower);
  });

  it.concurrent('says which prefix a user may not read, and goes on when he may', async () => {
    await using world = await startWorld({ auth });
    const { gateway } = world.truth;
    const guest = { username: 'guest', password: 'only-a-guest' };
    await gateway.addReader(guest, 'v1/mdc/');
    const scheduler = hurried(4);
    using allowed = world.follow({ auth: guest, prefixes: 'v1/mdc/', scheduler });
    using refused = world.follow({ auth: guest, prefixes: ['v1/mdc/', 'v1/instances/'] });
    await allowed.until('live');
    const { why } = await refused.until('down');
    expect(why).toMatch(/listing v1\/instances\/: .*permission denied.*Check the role/);
    await world.truth.put('v1/mdc/a', 'x');
    await allowed.hears(world.truth);
    await gateway.allow(guest.username, 'v1/instances/');
    await refused.until('live');
    // The probe asks again and again for a key that this user may not read: an answer all the same.
    const { fired } = scheduler;
    await eventually(() => scheduler.fired > fired + 20);
    expect(allowed.whys).not.toContain('permission denied');
    await allowed.until('live', allowed.mark - 1);
    await refused.until('live', refused.mark - 1);
  });
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
    expect((await wrong.until('down')).why).toMatch(/elsewhere\.example.*Check the scheme/);
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
  it.concurrent.each(wrong)('%s: a sentence', async (_, text, demanded, options) => {
    await using world = await startWorld(server(demanded));
    using follower = world.follow(options());
    const { why } = await follower.until('down');
    expect(why).toContain(`etcd at ${world.hosts}`);
    expect(why).toMatch(text);
    await follower.until('down', follower.mark);
    expectDiscreet(follower);
  });

  it.concurrent('http to https, and https to http: a sentence', async () => {
    await using secure = await startWorld(server());
    await using plain = await startWorld();
    using one = secure.follow({ hosts: secure.hosts.replace('https:', 'http:') });
    using other = plain.follow({ hosts: plain.hosts.replace('http:', 'https:'), tls: { ca: ca() } });
    expect((await one.until('down')).why).toMatch(/it closed the connection.*https/);
    expect((await other.until('down')).why).toMatch(/Check the scheme/);
  });
});
