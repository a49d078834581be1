import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EtcdOptions } from '../../../src/adapters/etcd/etcd-options.js';
import { makeCertificates, type Certificates } from '../../support/certificates.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import type { PrefixRecorder } from './prefix-recorder.js';
import { fasterScheduler } from './schedulers.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

const auth = { username: 'tidemark', password: 'tide-and-mark' };
const WRONG = 'ebb-and-flood';
/** No emitted text contains a secret. */
function expectDiscreet(recorder: PrefixRecorder): void {
  const emitted = JSON.stringify([recorder.statuses, recorder.errors.map(String)]);
  expect(emitted).not.toContain(auth.password);
  expect(emitted).not.toContain(WRONG);
  expect(emitted).not.toContain('PRIVATE KEY');
}

describeWith('etcd', 'a server that requires a password', () => {
  it.concurrent(
    'reports everything to a permitted user, over a restart that invalidates all tokens',
    async () => {
      await using setup = await startEtcdBehindProxy({ auth });
      using recorder = setup.record({ auth });
      await recorder.until('live');
      await setup.writer.writeMany('v1/', 3);
      const { statusCount } = recorder;
      await setup.server.restart();
      await recorder.until('down', statusCount);
      await setup.writer.writeMany('v1/', 3);
      await recorder.receivesAll(setup.writer);
      expectDiscreet(recorder);
    },
  );

  it.concurrent('reports a wrong password, and recovers when it becomes the right one', async () => {
    await using setup = await startEtcdBehindProxy({ auth });
    using recorder = setup.record({ auth: { ...auth, password: WRONG } });
    const { why, retryInMs } = await recorder.until('down');
    expect(why).toMatch(/^etcd at .*, logging in: .*authentication failed.*Check the user and the password/);
    expect(retryInMs).toBeGreaterThan(0);
    await recorder.until('down', recorder.statusCount);
    await setup.writer.put('v1/a', 'x');
    await setup.writer.gateway.changePassword(auth.username, WRONG);
    await recorder.until('live');
    expect([...recorder.present.keys()]).toEqual(['v1/a']);
    expectDiscreet(recorder);
  });

  it.concurrent('is refused without a user, with that reason', async () => {
    await using setup = await startEtcdBehindProxy({ auth });
    using recorder = setup.record();
    const { why } = await recorder.until('down');
    expect(why).toMatch(/user name is empty.*Check the user and the password/);
  });

  it.concurrent('a password for a server that requires none is reported', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record({ auth });
    const { why } = await recorder.until('down');
    expect(why).toMatch(/authentication is not enabled.*whether authentication is enabled on the server/);
    expectDiscreet(recorder);
  });

  it.concurrent('reports which prefix a user may not read, and continues once it may', async () => {
    await using setup = await startEtcdBehindProxy({ auth });
    const { gateway } = setup.writer;
    const guest = { username: 'guest', password: 'only-a-guest' };
    await gateway.addReader(guest, 'v1/mdc/');
    const scheduler = fasterScheduler(4);
    using allowed = setup.record({ auth: guest, prefixes: 'v1/mdc/', scheduler });
    using refused = setup.record({ auth: guest, prefixes: ['v1/mdc/', 'v1/instances/'] });
    await allowed.until('live');
    const { why } = await refused.until('down');
    expect(why).toMatch(/listing v1\/instances\/: .*permission denied.*Check the role/);
    await setup.writer.put('v1/mdc/a', 'x');
    await allowed.receivesAll(setup.writer);
    await gateway.allow(guest.username, 'v1/instances/');
    await refused.until('live');
    // The probe asks repeatedly for a key that this user may not read; a refusal is an answer too.
    const { fired } = scheduler;
    await eventually(() => scheduler.fired > fired + 20);
    expect(allowed.reasons).not.toContain('permission denied');
    await allowed.until('live', allowed.statusCount - 1);
    await refused.until('live', refused.statusCount - 1);
  });
});

describeWith(['etcd', 'openssl'], 'a server with TLS', () => {
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

  it.concurrent(
    'with our own authority and a client certificate: no change is lost over a disconnect',
    async () => {
      await using setup = await startEtcdBehindProxy(server(true));
      using recorder = setup.record({ tls: client() });
      await recorder.until('live');
      const { statusCount } = recorder;
      setup.proxy.cut();
      await setup.writer.writeMany('v1/', 5);
      await recorder.until('live', statusCount);
      await recorder.receivesAll(setup.writer);
      expectDiscreet(recorder);
    },
  );

  it.concurrent('under another server name, which is given', async () => {
    await using setup = await startEtcdBehindProxy(server());
    using recorder = setup.record({ tls: { ca: ca(), serverName: 'localhost' } });
    await recorder.until('live');
    using wrong = setup.record({ tls: { ca: ca(), serverName: 'elsewhere.example' } });
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
  it.concurrent.each(wrong)('%s: is reported', async (_, text, demanded, options) => {
    await using setup = await startEtcdBehindProxy(server(demanded));
    using recorder = setup.record(options());
    const { why } = await recorder.until('down');
    expect(why).toContain(`etcd at ${setup.hosts}`);
    expect(why).toMatch(text);
    await recorder.until('down', recorder.statusCount);
    expectDiscreet(recorder);
  });

  it.concurrent('http to https, and https to http: is reported', async () => {
    await using secure = await startEtcdBehindProxy(server());
    await using plain = await startEtcdBehindProxy();
    using one = secure.record({ hosts: secure.hosts.replace('https:', 'http:') });
    using other = plain.record({ hosts: plain.hosts.replace('http:', 'https:'), tls: { ca: ca() } });
    expect((await one.until('down')).why).toMatch(/the server closed the connection.*https/);
    expect((await other.until('down')).why).toMatch(/Check the scheme/);
  });
});
