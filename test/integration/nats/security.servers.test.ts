import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificates, type Certificates } from '../../support/certificates.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startNats } from '../../support/nats-server.js';
import { LoadRecorder } from './load-recorder.js';
import { NumberedPublisher, SUBJECT } from './numbered-publisher.js';

/** A NATS key pair; the client package has no types for it. */
const createUser = (): { getPublicKey(): string; getSeed(): Uint8Array } =>
  (nkeys as { createUser(): ReturnType<typeof createUser> }).createUser();

describeWith('nats-server', 'receiveLoads over NATS with authentication', () => {
  it('a user and a password, and a temporarily wrong one', async () => {
    await using server = await startNats({ user: 'me', password: 'hunter2' });
    using recorder = new LoadRecorder({
      servers: server.url,
      auth: { user: 'me', password: 'wrong-secret' },
    });
    await recorder.until('down');
    // The client gives up after two refusals; tidemark does not.
    await eventually(() => expect(recorder.statuses.length).toBeGreaterThan(4));
    expect(recorder.reasons).toMatch(/Authorization Violation.*Check the user, password/i);
    expect(recorder.reasons).not.toContain('wrong-secret');
    await server.restart({ user: 'me', password: 'wrong-secret' });
    await recorder.until('live');
  });

  it('no user where one is required', async () => {
    await using server = await startNats({ token: 'hunter2' });
    using recorder = new LoadRecorder({ servers: server.url });
    await recorder.until('down');
    expect(recorder.reasons).toContain('Check the user, password, token');
  });

  it('a token, and a key', async () => {
    const user = createUser();
    const seed = new TextDecoder().decode(user.getSeed());
    await using token = await startNats({ token: 'hunter2' });
    await using key = await startNats({
      configText: `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`,
    });
    using one = new LoadRecorder({ servers: token.url, auth: { token: 'hunter2' } });
    using two = new LoadRecorder({ servers: key.url, auth: { nkeySeed: seed } });
    await one.until('live');
    await two.until('live');
  });

  it('an invalid key is reported, without a crash', async () => {
    const user = createUser();
    await using server = await startNats({
      configText: `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`,
    });
    using recorder = new LoadRecorder({ servers: server.url, auth: { nkeySeed: 'SUno-seed-at-all' } });
    await recorder.until('down');
    expect(recorder.reasons).toMatch(/Check the user, password, token, key/);
    expect(recorder.reasons).not.toContain('no-seed-at-all');
  });

  it('no permission for one subject: the others are received, and the refusal is reported', async () => {
    const permissions = `{ subscribe: { deny: ["namespace.*.kv_metrics"] } }`;
    await using server = await startNats({
      configText: `authorization { users: [ { user: me, password: secret, permissions: ${permissions} } ] }`,
    });
    using recorder = new LoadRecorder({ servers: server.url.replace('//', '//me:secret@') });
    await recorder.until('live');
    expect(recorder.statuses.at(-1)?.why).toContain('subscribing to namespace.*.kv_metrics');
    await using publisher = await NumberedPublisher.connect(server.url, { user: 'me', pass: 'secret' });
    await publisher.publish(1, SUBJECT);
    await eventually(() => expect(recorder.received).toEqual([0]));
  });

  it('no permission at all: down, with the reason', async () => {
    const permissions = `{ subscribe: { deny: [">"] } }`;
    await using server = await startNats({
      configText: `authorization { users: [ { user: me, password: secret, permissions: ${permissions} } ] }`,
    });
    using recorder = new LoadRecorder({ servers: server.url, auth: { user: 'me', password: 'secret' } });
    await recorder.until('down');
    expect(recorder.reasons).toMatch(/permission/i);
  });
});

describeWith(['nats-server', 'openssl'], 'receiveLoads over NATS with TLS', () => {
  let folder = '';
  let certificates: Certificates;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-nats-'));
    certificates = await makeCertificates(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (path: string): string => readFileSync(path, 'utf8');

  it('with an authority and a certificate of our own', async () => {
    const { ca, server: pair, client } = certificates;
    await using server = await startNats({ tls: { ca, ...pair, verify: true } });
    using recorder = new LoadRecorder({
      servers: server.url,
      tls: { ca: read(ca), cert: read(client.cert), key: read(client.key) },
    });
    await recorder.until('live');
  });

  it('with another certificate authority: the reason is reported', async () => {
    const { ca, otherCa, server: pair } = certificates;
    await using server = await startNats({ tls: { ca, ...pair } });
    using recorder = new LoadRecorder({ servers: server.url, tls: { ca: read(otherCa) } });
    await recorder.until('down');
    expect(recorder.reasons).toMatch(/certificate/i);
    expect(recorder.reasons).toContain('Check whether the server requires TLS');
  });

  it('TLS to a server without TLS', async () => {
    await using server = await startNats();
    using recorder = new LoadRecorder({ servers: server.url, tls: { ca: read(certificates.ca) } });
    await recorder.until('down');
    expect(recorder.reasons).toContain('Check whether the server requires TLS');
  });
});
