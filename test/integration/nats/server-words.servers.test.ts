import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Subscription, firstValueFrom, switchMap } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNats } from '../../../src/adapters/nats/nats-connection.js';
import type { NatsError } from '../../../src/adapters/nats/nats-error.js';
import { subscribeAll } from '../../../src/adapters/nats/nats-link.js';
import { type NatsOptions, parseNatsServers } from '../../../src/adapters/nats/nats-options.js';
import type { NatsPackage, OpenedLink } from '../../../src/adapters/nats/nats-package.js';
import { natsPreFlight } from '../../../src/adapters/nats/nats-pre-flight.js';
import { type Certificates, makeCertificates } from '../../support/certificates.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { startNats } from '../../support/nats-server.js';
import { TlsFirstServer } from '../../support/tls-first-server.js';

/** Every supported package, in its newest and its oldest release. */
const packages: Readonly<Record<string, () => Promise<unknown>>> = {
  'nats 2': () => import('nats'),
  'nats 2.15.1': () => import('nats-lowest'),
  '@nats-io/transport-node 3': () => import('@nats-io/transport-node'),
  '@nats-io/transport-node 3.0.0': () => import('nats-io-transport-node-lowest'),
};

/** One connection of a package, with a subscription to `a`, and what came of it. */
class Session implements Disposable {
  readonly received: string[] = [];
  link: OpenedLink | undefined;
  subscribed: readonly string[] | undefined;
  error: NatsError | undefined;
  readonly #subscription: Subscription;

  constructor(load: () => Promise<unknown>, options: NatsOptions, version?: string) {
    const [server] = parseNatsServers(options);
    if (server === undefined) throw new Error('no server');
    const loaded = async () => ({ module: (await load()) as NatsPackage, version });
    this.#subscription = openNats(server, options, loaded)
      .pipe(
        switchMap((link) => {
          this.link = link;
          return subscribeAll(link, ['a'], ({ data }) => this.received.push(new TextDecoder().decode(data)));
        }),
      )
      .subscribe({
        next: ({ refused }) => (this.subscribed = refused),
        error: (error: unknown) => (this.error = error as NatsError),
      });
  }

  async failure(): Promise<NatsError> {
    await eventually(() => this.error !== undefined);
    return this.error as NatsError;
  }

  async live(): Promise<void> {
    await eventually(() => this.error !== undefined || this.subscribed !== undefined);
    expect(this.error).toBeUndefined();
    expect(this.subscribed).toEqual([]);
  }

  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
  }
}

describeWith('nats-server', 'a connection of each package', () => {
  describe.each(Object.entries(packages))('%s', (_, load) => {
    it('subscribes, receives, and reports that the connection was lost', async () => {
      await using server = await startNats();
      await using proxy = await startFaultProxy({ to: server.port });
      using session = new Session(load, { servers: `nats://127.0.0.1:${proxy.port}` });
      await session.live();
      session.link?.publish('a', new TextEncoder().encode('hello'));
      await eventually(() => expect(session.received).toEqual(['hello']));
      proxy.cut();
      expect((await session.failure()).code).toBe('nats-unreachable');
    });

    it('a wrong password - the words of the server', async () => {
      await using server = await startNats({ user: 'me', password: 'right' });
      using session = new Session(load, { servers: server.url, auth: { user: 'me', password: 'wrong' } });
      const { code, message } = await session.failure();
      expect(code).toBe('nats-auth');
      expect(message).toMatch(/, connecting: .*Authorization Violation/);
    });

    it('one connection too many - the words of the server', async () => {
      await using server = await startNats({ configText: 'max_connections: 1' });
      using first = new Session(load, { servers: server.url });
      await first.live();
      using second = new Session(load, { servers: server.url });
      const { code, message } = await second.failure();
      expect([code, message]).toEqual([
        'nats-limit',
        `NATS at ${server.url}, connecting: the server answers 'maximum connections exceeded'. Raise the limit of the server or of the account, or end other connections.`,
      ]);
    });

    it('bytes that are not NATS, on an open connection - the words of the server', async () => {
      await using server = await startNats();
      await using proxy = await startFaultProxy({ to: server.port });
      using session = new Session(load, { servers: `nats://127.0.0.1:${proxy.port}` });
      await session.live();
      proxy.inject('GARBAGE\r\n', 'toServer');
      expect((await session.failure()).message).toContain('Unknown Protocol Operation');
    });

    it('no permission for the subject - the words of the server', async () => {
      const permissions = `{ subscribe: { deny: ["a"] } }`;
      await using server = await startNats({
        configText: `authorization { users: [ { user: me, password: secret, permissions: ${permissions} } ] }`,
      });
      using session = new Session(load, { servers: server.url, auth: { user: 'me', password: 'secret' } });
      const { code, message } = await session.failure();
      expect(code).toBe('nats-permission');
      expect(message).toContain('Permissions Violation for Subscription to "a"');
    });
  });
});

describeWith(['nats-server', 'openssl'], 'a connection over TLS of each package', () => {
  let folder = '';
  let certificates: Certificates;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-nats-tls-'));
    certificates = await makeCertificates(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (path: string): string => readFileSync(path, 'utf8');

  it.each(Object.entries(packages))(
    '%s: a client certificate, which the server verifies',
    async (_, load) => {
      const { ca, client, server: pair } = certificates;
      await using server = await startNats({ tls: { ca, ...pair, verify: true } });
      const tls = { ca: read(ca), cert: read(client.cert), key: read(client.key) };
      using session = new Session(load, { servers: server.url, tls });
      await session.live();
      using without = new Session(load, { servers: server.url, tls: { ca: read(ca) } });
      expect(await without.failure()).toMatchObject({ code: 'nats-tls' });
    },
  );

  const capable = Object.entries(packages).filter(([name]) => name !== 'nats 2.15.1');
  it.each(capable)(
    '%s: a server that expects TLS first is found out, with and without the option',
    async (_, load) => {
      const { ca, client, server: pair } = certificates;
      await using server = await TlsFirstServer.start(pair, ca);
      const tls = { ca: read(ca), cert: read(client.cert), key: read(client.key) };
      for (const more of [{}, { handshakeFirst: true }]) {
        using session = new Session(load, {
          servers: `tls://localhost:${server.port}`,
          tls: { ...tls, ...more },
        });
        await session.live();
      }
    },
  );

  it('a release without TLS first is refused, with the command that installs a newer one', async () => {
    await using server = await TlsFirstServer.start(certificates.server);
    const options = { servers: `tls://localhost:${server.port}`, tls: { ca: read(certificates.ca) } };
    using session = new Session(() => import('nats-lowest'), options, '2.15.1');
    expect(await session.failure()).toMatchObject({
      code: 'package-version',
      message: expect.stringMatching(
        /nats is installed as 2\.15\.1, .*TLS first.*: npm install nats@2$/,
      ) as string,
    });
  });

  it('TLS first with another authority, or without a certificate: the reason is that of TLS', async () => {
    const { ca, otherCa, server: pair } = certificates;
    await using server = await TlsFirstServer.start(pair, ca);
    const load = () => import('nats');
    for (const authority of [ca, otherCa]) {
      const options = { servers: `tls://localhost:${server.port}`, tls: { ca: read(authority) } };
      using session = new Session(load, options);
      expect(await session.failure()).toMatchObject({
        code: 'nats-tls',
        message: expect.stringMatching(/certificate/) as string,
      });
    }
  });

  it('TLS first, but nothing asks for TLS: the message names the option', async () => {
    await using server = await TlsFirstServer.start(certificates.server);
    using session = new Session(() => import('nats'), { servers: `nats://localhost:${server.port}` });
    expect(await session.failure()).toMatchObject({
      code: 'nats-silent',
      message: expect.stringContaining('whether it expects TLS first (tls.handshakeFirst)') as string,
    });
  });

  it('a slow server with TLS is not taken for one that expects TLS first', async () => {
    const { ca, server: pair } = certificates;
    await using server = await startNats({ tls: { ca, ...pair } });
    await using proxy = await startFaultProxy({ to: server.port });
    proxy.delay(600);
    const tls = { ca: read(ca) };
    const [slow] = parseNatsServers({ servers: `nats://127.0.0.1:${proxy.port}`, tls });
    if (slow === undefined) throw new Error('no server');
    expect(await firstValueFrom(natsPreFlight(slow, tls, 10_000))).toEqual({ tlsFirst: false });
  });
});
