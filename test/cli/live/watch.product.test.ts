import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { startSimulate, startWatch } from '../../support/live-commands.js';
import { runCli, startCli } from '../../support/run-cli.js';

// Nothing listens on port 1, so connections are refused immediately.
const nowhere = { nats: 'nats://127.0.0.1:1', etcd: 'http://127.0.0.1:1', policy: 'dynamo-1.6' };
const refused = /127\.0\.0\.1:1, connecting: .*ECONNREFUSED.*Check that/;

describe('tidemark watch', () => {
  it('reports each unreachable server once, and continues until it is ended', async () => {
    const watching = startWatch({ ...nowhere, activeDecodeBlocksThreshold: '0.5', json: true });
    await eventually(() => watching.health('loads') === 'down' && watching.health('discovery') === 'down');
    expect(await watching.end()).toMatchObject({ loads: 0, workers: 0, gaps: 0, busy: [] });
    expect(watching.of('status').map(({ why }) => why)).toEqual(
      Array(2).fill(expect.stringMatching(refused)),
    );
    expect(watching.objects[0]).toMatchObject({
      kind: 'began',
      policy: 'dynamo-1.6',
      thresholds: { activeDecodeBlocksThreshold: 0.5 },
    });
    expect(watching.err.join()).toMatch(
      /^watching every namespace, .*policy dynamo-1\.6; thresholds: 0\.5 of the KV/,
    );
  });

  it('Dynamo’s variables are used, and flags take precedence', async () => {
    const env = {
      NATS_SERVER: 'nats://127.0.0.1:2',
      ETCD_ENDPOINTS: 'http://127.0.0.1:3',
      DYN_NAMESPACE: 'prod',
    };
    await using watching = startCli(['watch', '--etcd', 'http://127.0.0.1:1'], env);
    await eventually(() => {
      expect(watching.err).toContain('loads (NATS): down');
      expect(watching.err).toContain('discovery (etcd): down');
    });
    const { code, out, err } = await watching.end('SIGINT');
    expect(err).toMatch(
      /^watching namespace prod.*; no threshold is set: set one, for example --active-decode/,
    );
    expect(err.match(/loads \(NATS\): down: NATS at nats:\/\/127\.0\.0\.1:2, .*/g)).toHaveLength(1);
    expect(err).toMatch(/discovery \(etcd\): down: etcd at http:\/\/127\.0\.0\.1:1, /);
    expect(out).toMatch(
      /^after \d+\.\d s: 0 loads, .*; .* and .* could not be reached, so it is unknown which workers are busy\n$/,
    );
    expect(code).toBe(2);
  });

  it('invalid options: exit code 2', async () => {
    expect(await runCli(['watch', '--nats', 'http://x'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('is not a valid server') as string,
    });
  });
});

describe('tidemark simulate', () => {
  it('reports unreachable servers once for all workers, and ends in good order', async () => {
    const fleet = { seed: 1, workers: 4, ranks: 1, duration: 600, ttl: 60, model: 'tiny' };
    const simulating = startSimulate({ ...nowhere, ...fleet, json: true });
    const registration = 'registration (etcd)';
    await eventually(
      () => simulating.health('publisher') === 'down' && simulating.health(registration) === 'down',
    );
    expect(await simulating.end()).toMatchObject({ published: 0, transitions: 0, busy: [] });
    expect(simulating.of('status').map(({ why }) => why)).toEqual(
      Array(2).fill(expect.stringMatching(refused)),
    );
  });
});
