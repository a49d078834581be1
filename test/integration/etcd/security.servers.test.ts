import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EtcdOptions } from '../../../src/adapters/etcd/etcd-options.js';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import type { WorkerId } from '../../../src/core/worker-id.js';
import { discoverWorkers } from '../../../src/dynamo/discovery/discover-workers.js';
import { discoveryPrefixes } from '../../../src/dynamo/discovery/discovery-keys.js';
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

  const guest = { username: 'guest', password: 'only-a-guest' };

  it.concurrent('a probe that is refused is an answer', async () => {
    await using setup = await startEtcdBehindProxy({ auth });
    await setup.writer.gateway.addReader(guest, 'v1/mdc/');
    const scheduler = fasterScheduler(4);
    using allowed = setup.record({ auth: guest, prefixes: 'v1/mdc/', scheduler });
    await allowed.until('live');
    await setup.writer.put('v1/mdc/a', 'x');
    await allowed.receivesAll(setup.writer);
    // The probe asks repeatedly for a key that this user may not read.
    const { fired } = scheduler;
    await eventually(() => scheduler.fired > fired + 20);
    expect(allowed.statuses.map(({ state }) => state)).toEqual(['connecting', 'live']);
    expect(allowed.reasons.trim()).toBe('');
  });

  it.concurrent(
    'a prefix that the user may not read is named, and the others are watched: permissions may come and go',
    async () => {
      await using setup = await startEtcdBehindProxy({ auth });
      const { gateway } = setup.writer;
      await gateway.addReader(guest, 'fleet/v1/mdc/');
      await gateway.put('fleet/v1/mdc/a', 'x');
      await gateway.put('fleet/v1/instances/a', 'x');
      using recorder = setup.record({
        auth: guest,
        keyPrefix: 'fleet/',
        prefixes: ['v1/instances/', 'v1/mdc/', 'models/'],
        scheduler: fasterScheduler(4),
      });
      const { why } = await recorder.until('live');
      expect(why).toBe(
        `etcd at ${setup.hosts}: the keys below "fleet/v1/instances/", "fleet/models/" are not watched because the user ` +
          "has no permission to read them; if they are needed, grant the user's role read permission for these prefixes.",
      );
      expect([recorder.kinds, [...recorder.present.keys()]]).toEqual([['snapshot'], ['v1/mdc/a']]);

      await gateway.allow(guest.username, 'fleet/v1/instances/');
      await eventually(() => recorder.present.has('v1/instances/a'));
      expect(recorder.kinds).toEqual(['snapshot', 'resync']);
      await eventually(
        () => recorder.statuses.at(-1)?.why?.includes('below "fleet/models/" are not') === true,
      );
      await gateway.put('fleet/v1/instances/b', 'x');
      await eventually(() => recorder.present.has('v1/instances/b'));
      expect(recorder.statuses.map(({ state }) => state)).toEqual(['connecting', 'live', 'live']);

      const { statusCount } = recorder;
      await gateway.disallow(guest.username, 'fleet/v1/mdc/');
      expect((await recorder.until('down', statusCount)).why).toContain('below "fleet/v1/mdc/" are not');
      const live = await recorder.until('live', statusCount);
      expect(live.why).toContain('below "fleet/v1/mdc/", "fleet/models/" are not');
      await gateway.put('fleet/v1/instances/c', 'x');
      await eventually(() => recorder.present.has('v1/instances/c'));
      expect(recorder.present.has('v1/mdc/a')).toBe(true);

      await gateway.put('fleet/v1/mdc/b', 'x');
      await gateway.allow(guest.username, 'fleet/v1/mdc/');
      await eventually(() => recorder.present.has('v1/mdc/b'));
      expect(recorder.kinds.filter((kind) => kind !== 'changes')).toEqual(['snapshot', 'resync']);
      expectDiscreet(recorder);
    },
  );

  it.concurrent('a user that may read nothing: down with one sentence, until it may', async () => {
    await using setup = await startEtcdBehindProxy({ auth });
    const { gateway } = setup.writer;
    await gateway.addReader(guest, 'elsewhere/');
    using recorder = setup.record({ auth: guest, prefixes: ['v1/instances/', 'v1/mdc/'] });
    const { why, retryInMs } = await recorder.until('down');
    expect(why).toContain(
      'below "v1/instances/", "v1/mdc/" are not watched because the user has no permission',
    );
    expect(retryInMs).toBeGreaterThan(0);
    await recorder.until('down', recorder.statusCount);
    await gateway.put('v1/mdc/a', 'x');
    await gateway.allow(guest.username, 'v1/mdc/');
    expect((await recorder.until('live')).why).toContain('below "v1/instances/" are not');
    expect([recorder.kinds, [...recorder.present.keys()]]).toEqual([['snapshot'], ['v1/mdc/a']]);
    expectDiscreet(recorder);
  });

  it.concurrent('a user that may read one namespace of releases 1.x watches all of its workers', async () => {
    await using setup = await startEtcdBehindProxy({ auth });
    const { gateway } = setup.writer;
    await gateway.addReader(guest, 'v1/instances/prod/');
    await gateway.allow(guest.username, 'v1/mdc/prod/');
    const prefixes = discoveryPrefixes('prod');
    const keys = watchPrefix({ hosts: setup.hosts, auth: guest, prefixes });
    const fleet = discoverWorkers(keys, { namespace: 'prod' });
    const statuses: SourceStatus[] = [];
    const present = new Set<WorkerId>();
    const running = fleet.status$.subscribe((status) => statuses.push(status));
    running.add(
      fleet.workers$.subscribe((change) => {
        if ('workerId' in change) present.add(change.workerId);
        else for (const id of change.keys()) present.add(id);
      }),
    );
    await eventually(() => statuses.at(-1)?.state === 'live');
    expect(statuses.at(-1)?.why).toContain('below "instances/prod/", "models/" are not');
    for (const namespace of ['prod-2', 'prod2', 'pro', 'prod'])
      await gateway.put(`v1/instances/${namespace}/backend/generate/${namespace.length}`, '{}');
    await eventually(() => present.size > 0);
    expect([...present]).toEqual(['4']);
    running.unsubscribe();
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
