import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseRecording } from '../../../src/wire/recording/parse-recording.js';
import { makeCertificates, type Certificates } from '../../support/certificates.js';
import { describeWith } from '../../support/describe-with.js';
import { startEtcd, type EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { jsonLines, startCli } from '../../support/run-cli.js';

const user = { username: 'tidemark', password: 'tide-and-mark' };
const WRONG = 'ebb-and-flood';

describeWith(['nats-server', 'etcd', 'openssl'], 'the commands on servers with TLS and users', () => {
  let folder = '';
  let certificates: Certificates;
  let nats: NatsServer;
  let etcd: EtcdServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-secured-'));
    certificates = await makeCertificates(folder);
    const tls = { ca: certificates.ca, ...certificates.server };
    [nats, etcd] = await Promise.all([
      startNats({ tls, user: user.username, password: user.password }),
      startEtcd({ tls, auth: user }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([nats.stop(), etcd.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Dynamo's own environment variables, as its workers have them. */
  const environment = (namespace: string, change: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    NATS_SERVER: nats.url.replace('nats:', 'tls:'),
    NATS_AUTH_USERNAME: user.username,
    NATS_AUTH_PASSWORD: user.password,
    NATS_TLS_CA_CERT_PATH: certificates.ca,
    ETCD_ENDPOINTS: etcd.url,
    ETCD_AUTH_USERNAME: user.username,
    ETCD_AUTH_PASSWORD: user.password,
    ETCD_AUTH_CA: readFileSync(certificates.ca, 'utf8'),
    DYN_NAMESPACE: namespace,
    TIDEMARK_SIMULATE_NAMESPACE: namespace,
    ...change,
  });
  const threshold = ['--active-decode-blocks-threshold', '0.85'];

  it('watch, record and simulate communicate through the servers, and end in good order', async () => {
    const env = environment('secured');
    const file = join(folder, 'secured.jsonl');
    await using watching = startCli(['watch', ...threshold, '--json'], env);
    await using recording = startCli(['record', file, ...threshold], env);
    const live = (text: string): boolean => /loads.*live/.test(text) && /discovery.*live/.test(text);
    await eventually(() => expect(live(watching.out) && live(recording.err)).toBe(true));
    await using simulating = startCli(['simulate', '--workers', '3', ...threshold, '--json'], env);
    await eventually(() => expect(watching.out.match(/"kind":"transition"/g)?.length).toBeGreaterThan(3));
    expect((await simulating.end('SIGINT')).code).toBe(0);
    await eventually(() =>
      expect(jsonLines(watching.out).findLast(({ kind }) => kind === 'workers')).toMatchObject({ total: 0 }),
    );
    await eventually(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toMatch(/"present":false/));
    expect((await watching.end('SIGINT')).code).toBe(0);
    expect((await recording.end('SIGTERM')).code).toBe(0);
    expect(jsonLines(watching.out).at(-1)).toMatchObject({ kind: 'summary', failed: 0, workers: 0 });
    const kinds = parseRecording(readFileSync(file)).lines.map((line) => 'event' in line && line.event.kind);
    expect(kinds).toEqual(expect.arrayContaining(['config', 'instance', 'load']));
  });

  it.each([
    ['watch', [], 2],
    ['record', ['-'], 0],
    ['simulate', ['--workers', '1'], 0],
  ] as const)(
    '%s with wrong passwords: one line for each server, without the passwords, and it continues',
    async (command, args, code) => {
      const env = environment('wrong', { NATS_AUTH_PASSWORD: WRONG, ETCD_AUTH_PASSWORD: WRONG });
      await using running = startCli([command, ...args, ...threshold], env);
      const lines = (): string[] =>
        running.err.split('\n').filter((line) => /: (down|connecting)/.test(line));
      await eventually(() => {
        expect(running.err).toMatch(
          /\(NATS\): down: NATS at tls:.*Authorization Violation.*Check the user, password/i,
        );
        expect(running.err).toMatch(/etcd at https:.*authentication failed.*Check the user and the password/);
      });
      expect(lines().length).toBeLessThanOrEqual(4);
      expect((await running.end('SIGINT')).code).toBe(code);
      expect(running.out + running.err).not.toContain(WRONG);
    },
  );

  it('without the certificate authority: a line that says what to check', async () => {
    const env = environment('stranger', { NATS_TLS_CA_CERT_PATH: '', ETCD_AUTH_CA: '' });
    await using watching = startCli(['watch', ...threshold], env);
    await eventually(() => {
      expect(watching.err).toMatch(
        /loads \(NATS\): down: .*certificate.*Check whether the server requires TLS/i,
      );
      expect(watching.err).toMatch(/discovery \(etcd\): down: .*certificate/i);
    });
    expect((await watching.end('SIGTERM')).code).toBe(2);
  });

  it('a missing certificate file: exit code 2 and a sentence, before it connects', async () => {
    const env = environment('none', { NATS_TLS_CA_CERT_PATH: join(folder, 'none.pem') });
    await using watching = startCli(['watch', ...threshold], env);
    expect((await watching.ended).code).toBe(2);
    expect(watching.err).toMatch(/^tidemark: Cannot read .*none\.pem: the file does not exist/);
  });

  it('watch reads the servers and the client certificate for NATS from a file, and stats from flags', async () => {
    await using strict = await startNats({
      tls: { ca: certificates.ca, ...certificates.server, verify: true },
    });
    const [ca, cert, key] = [certificates.ca, certificates.client.cert, certificates.client.key];
    const url = strict.url.replace('nats:', 'tls:');
    const config = join(folder, 'tidemark.json');
    const settings = { nats: url, natsTlsCa: ca, natsTlsCert: cert, natsTlsKey: key, namespace: 'filed' };
    writeFileSync(config, JSON.stringify({ ...settings, activeDecodeBlocksThreshold: 0.85, port: 0 }));
    await using watching = startCli(['watch', '--config', config], { ETCD_ENDPOINTS: 'http://127.0.0.1:1' });
    await eventually(() => expect(watching.err).toContain('loads (NATS): live'));
    expect(watching.err).toMatch(
      /^watching namespace filed and its generations, .*thresholds: 0\.85 of the KV blocks/,
    );
    const { code, out } = await watching.end('SIGINT');
    expect(code).toBe(2);
    expect(out).toContain('discovery (etcd) could not be reached, so it is unknown which workers are busy');

    const flags = ['--nats-tls-ca', ca, '--nats-tls-cert', cert, '--nats-tls-key', key];
    const stats = await startCli(['stats', '--nats', url, ...flags]).ended;
    expect([stats.code, stats.err]).toEqual([1, expect.stringContaining('has no NATS micro services')]);
  });
});
