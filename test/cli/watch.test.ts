import { describe, expect, it } from 'vitest';
import { jsonLines, runCli } from '../support/run-cli.js';

// Nothing listens on port 1, and nobody waits for that to be found out.
const nowhere = ['--nats', 'nats://127.0.0.1:1', '--etcd', 'http://127.0.0.1:1'];

describe('tidemark watch', () => {
  it('servers that are not there - are told once each, and it goes on to its end', async () => {
    const { code, out, err } = await runCli(['watch', ...nowhere, '--duration', '1.5']);
    expect(err).toMatch(
      /^watching every namespace, every endpoint, policy default; marks are off: set one, for/,
    );
    expect(
      err.match(/loads \(NATS\): down: NATS at .*ECONNREFUSED.*Check that the server runs/g),
    ).toHaveLength(1);
    expect(err.match(/discovery \(etcd\): down: etcd at .*Check that etcd runs/g)).toHaveLength(1);
    expect(out).toMatch(/^after \d\.\d s: 0 loads, .*; no worker is busy\n$/);
    expect(code).toBe(0);
  });

  it('--json - one object a line of each kind, on standard output', async () => {
    const marks = ['--active-decode-blocks-threshold', '0.5', '--policy', 'dynamo-1.6'];
    const { out, err } = await runCli(['watch', ...nowhere, ...marks, '--json', '--duration', '1']);
    const objects = jsonLines(out);
    expect(objects[0]).toMatchObject({
      kind: 'began',
      policy: 'dynamo-1.6',
      marks: { activeDecodeBlocksThreshold: 0.5 },
    });
    expect(
      objects.filter(({ kind }) => kind === 'status').map(({ source, state }) => [source, state]),
    ).toEqual(
      expect.arrayContaining([
        ['loads', 'down'],
        ['discovery', 'down'],
      ]),
    );
    expect(objects.at(-1)).toMatchObject({ kind: 'summary', loads: 0, workers: 0, gaps: 0, busy: [] });
    expect(err).toContain('marks: 0.5 of the KV blocks; Ctrl-C');
  });

  it('the variables of Dynamo - count, and flags win over them', async () => {
    const env = {
      NATS_SERVER: 'nats://127.0.0.1:2',
      ETCD_ENDPOINTS: 'http://127.0.0.1:3',
      DYN_NAMESPACE: 'prod',
    };
    const { err } = await runCli(['watch', '--etcd', 'http://127.0.0.1:1', '--duration', '1'], { env });
    expect(err).toContain('watching namespace prod');
    expect(err).toContain('nats://127.0.0.1:2');
    expect(err).toContain('http://127.0.0.1:1');
    expect(err).not.toContain('127.0.0.1:3');
  });

  it.each([
    [['--nats', 'http://x'], /is no server: write nats:/],
    [['--etcd', 'ftp://x'], /is no host: write http:/],
    [['--endpoint', 'backend.generate'], /has no namespace/],
    [['--policy', 'mine'], /Allowed choices/],
    [['--active-decode-blocks-threshold', '2'], /between 0\.0 and 1\.0, got 2/],
    [['--duration', '0'], /from 0\.1 to/],
  ])('%j - exit 2 and a sentence', async (args, sentence) => {
    const { code, out, err } = await runCli(['watch', ...args]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(sentence);
  });
});
