import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EventStream } from '../../support/event-stream.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { httpCall } from '../../support/http-call.js';
import type { RunningProcess } from '../../support/processes.js';
import { runCli, startCli } from '../../support/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-serve-'));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** A `tidemark serve` in its own process. */
class Serving {
  private constructor(readonly cli: RunningProcess) {}

  static async start(...args: string[]): Promise<Serving> {
    const serving = new Serving(startCli(['serve', '--port', '0', ...args]));
    running.push(serving);
    await eventually(() => serving.url !== '' || serving.cli.finished !== undefined);
    return serving;
  }

  get url(): string {
    return /on (http:\/\/\S+) \(/.exec(this.cli.out)?.[1] ?? '';
  }
}
const running: Serving[] = [];
afterEach(() => Promise.all(running.splice(0).map(({ cli }) => cli.end('SIGKILL'))));

describe('tidemark serve', () => {
  it.each([
    [
      '1.0',
      '{"thresholds":[{"model":"tiny-model","active_decode_blocks_threshold":1.0,"active_prefill_tokens_threshold":10000000,"active_prefill_tokens_threshold_frac":1.5}]}',
    ],
    [
      '1.6',
      '{"thresholds":[{"model":"tiny-model","active_decode_blocks_threshold":null,"active_prefill_tokens_threshold":null,"active_prefill_tokens_threshold_frac":null}]}',
    ],
  ])(
    '--simulate --generation %s serves the threshold API of that release, with its defaults, from the first request',
    async (generation, listed) => {
      const { url } = await Serving.start('--simulate', '--model', 'tiny-model', '--generation', generation);
      expect((await httpCall(`${url}/busy_threshold`)).body).toBe(listed);
      expect((await httpCall(`${url}/readyz`)).status).toBe(200);
    },
  );

  it('after a threshold is set by POST, workers become busy, and /events reports it', async () => {
    const { url } = await Serving.start('--simulate', '--model', 'm', '--workers', '3', '--ranks', '1');
    using events = await EventStream.open(`${url}/events`);
    await events.first('snapshot');
    const body = '{"model":"m","active_decode_blocks_threshold":0.3}';
    const answer = await httpCall(`${url}/busy_threshold`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(200);
    expect(await events.first('transition')).toMatchObject({ model: 'm', busy: true });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends event streams in good order, with exit code 0',
    async (signal) => {
      const serving = await Serving.start('--simulate');
      using events = await EventStream.open(`${serving.url}/events`);
      await events.first('snapshot');
      const { code } = await serving.cli.end(signal);
      expect([code, events.ended]).toEqual([0, true]);
    },
  );

  it('--drain-seconds: not ready, but answers until the end; a second signal ends it at once', async () => {
    const serving = await Serving.start('--simulate', '--drain-seconds', '3600');
    serving.cli.signal('SIGTERM');
    await eventually(async () => expect((await httpCall(`${serving.url}/readyz`)).status).toBe(503));
    expect((await httpCall(`${serving.url}/busy`)).status).toBe(200);
    await serving.cli.end('SIGTERM');
  });

  it('a port in use: exit code 2 and what to do', async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const { code, err } = await runCli(['serve', '--simulate', '--port', String(port)]);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(`Port ${port} of 127.0.0.1 is in use; choose another port`),
    ]);
    const demo = await runCli(['demo', '--duration', '0.5', '--port', String(port)]);
    expect([demo.code, demo.err]).toEqual([
      0,
      expect.stringContaining(`the demo is not served over HTTP: Port ${port}`),
    ]);
    server.close();
  });

  it('the demo is served over HTTP while it runs, and prints its URL', async () => {
    await using demo = startCli(['demo', '--port', '0']);
    await eventually(() => demo.err.includes('serving the demo on'));
    const url = /serving the demo on (http:\/\/127\.0\.0\.1:\d+) \(/.exec(demo.err)?.[1] ?? '';
    await eventually(async () => {
      const busy = JSON.parse((await httpCall(`${url}/busy`)).body) as { pools: object[] };
      expect(busy.pools[0]).toMatchObject({ model: 'demo-model', workers: { known: 6 } });
    });
    await demo.end('SIGINT');
  });

  it('with sources that are down, it serves, is not ready, and reports each source with its reason', async () => {
    const port = await freePort();
    const { url } = await Serving.start(
      '--nats',
      `nats://127.0.0.1:${port}`,
      '--etcd',
      `http://127.0.0.1:${port}`,
    );
    await eventually(async () => {
      const { status, body } = await httpCall(`${url}/readyz`);
      expect(status).toBe(200);
      const { sources } = JSON.parse(body) as { sources: { state: string; why?: string }[] };
      expect(sources.filter(({ state, why = '' }) => state === 'down' && why !== '')).toHaveLength(2);
    });
    expect(JSON.parse((await httpCall(`${url}/busy`)).body)).toMatchObject({ state: 'unknown' });
    expect((await httpCall(`${url}/healthz`)).status).toBe(200);
  });
});

describe('tidemark serve with invalid settings', () => {
  it('reports all problems together, each with its origin', async () => {
    const config = file('wrong.yaml', 'port: eighty\nprot: 80\nranks: [1, 2]\nmodel: {a: b}\n');
    const { code, out, err } = await runCli(
      [
        'serve',
        '--config',
        config,
        '--active-decode-blocks-threshold',
        '2',
        '--frontend',
        'ftp://x',
        '--seed',
        '3',
      ],
      { env: { TIDEMARK_MAX_READERS: '-1', TIDEMARK_GENERATION: '2.0', NATS_AUTH_USERNAME: 'u' } },
    );
    expect([code, out]).toEqual([2, '']);
    for (const problem of [
      `port must be a whole number from 0 to 65535, not "eighty" (file ${config}).`,
      `prot in ${config} is not a setting; the settings are model, workers,`,
      `ranks must be one value, not 2 (file ${config}).`,
      `model in ${config} must be a value or a list of values.`,
      'activeDecodeBlocksThreshold must be a number from 0 to 1, not "2" (flag --active-decode-blocks-threshold).',
      'frontend must be http:// or https:// URLs, not "ftp://x" (flag --frontend).',
      'maxReaders must be a whole number from 0 to 100000, not "-1" (environment TIDEMARK_MAX_READERS).',
      'generation must be one of 1.0, 1.6, not "2.0" (environment TIDEMARK_GENERATION).',
      'seed only applies with --simulate: add --simulate, or remove seed.',
      'natsUsername (NATS_AUTH_USERNAME) and natsPassword (NATS_AUTH_PASSWORD) must be set together: set both or neither.',
    ])
      expect(err).toContain(problem);
  });
});

describe('tidemark check', () => {
  it('prints each value with its origin, but no secrets', async () => {
    const { code, out, err } = await runCli(
      ['check', '--host', '0.0.0.0', '--nats', 'nats://me:geheim@n:4222', '--admin-token', 'geheim-geheim'],
      { env: { TIDEMARK_PORT: '8000', ETCD_AUTH_USERNAME: 'geheim', ETCD_AUTH_PASSWORD: 'geheim' } },
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^port +8000 +environment TIDEMARK_PORT$/m);
    expect(out).toMatch(/^nats +nats:\/\/\*\*\*@n:4222 +flag --nats$/m);
    expect(out).toMatch(/^adminToken +\(set, not shown\) +flag --admin-token$/m);
    expect(out).toMatch(/^etcdPassword +\(set, not shown\) +environment ETCD_AUTH_PASSWORD$/m);
    expect(out).toMatch(/^ranks +2 +default$/m);
    expect(err).toContain('warning: No threshold is set');
    expect(out + err).not.toContain('geheim');
  });

  it('problems: exit code 2 and all of them; as JSON too', async () => {
    const { code, out, err } = await runCli(['check', '--port', 'x', '--host', '0.0.0.0']);
    expect([code, err]).toEqual([2, expect.stringContaining('problem: port must be')]);
    expect(err).toContain('warning: 0.0.0.0 can be reached from other machines and no admin token is set');
    expect(out).toContain('flag --host');
    const json = JSON.parse((await runCli(['check', '--port', 'x', '--json'])).out) as object;
    expect(json).toMatchObject({
      settings: expect.arrayContaining([{ name: 'ranks', value: '2', from: 'default' }]) as object[],
      problems: [expect.stringContaining('port must be') as string],
    });
  });
});
