import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../support/describe-with.js';
import { startEtcd } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { httpCall } from '../support/http-call.js';
import { startNats } from '../support/nats-server.js';
import { startCli } from '../support/run-cli.js';

const MODEL = 'llama';
const BY_HAND = 0.95;

interface BusyAnswer {
  readonly state: string;
  readonly pools: readonly {
    readonly endpoint: string;
    readonly workers: { readonly busy: number; readonly free: number };
    readonly thresholds: { readonly activeDecodeBlocksThreshold: number | null };
  }[];
}

/** A service whose port is known, and its answers about the model. */
async function serve(args: readonly string[]) {
  const process = startCli(['serve', '--port', '0', ...args]);
  await eventually(() => process.out.includes('serving'));
  const url = /on (http:\/\/\S+) \(/.exec(process.out)?.[1] ?? '';
  const busy = async (): Promise<BusyAnswer> =>
    JSON.parse((await httpCall(`${url}/busy?model=${MODEL}`)).body) as BusyAnswer;
  /** The decode threshold in force in each pool, by the namespace of the pool. */
  const thresholds = async (): Promise<Record<string, number | null>> => {
    const { pools } = await busy();
    return Object.fromEntries(
      pools.map(({ endpoint, thresholds }) => [
        String(endpoint.split('.')[0]),
        thresholds.activeDecodeBlocksThreshold,
      ]),
    );
  };
  return { process, url, busy, thresholds };
}

let folder = '';
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'tidemark-roll-out-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

describeWith(['nats-server', 'etcd'], 'a roll-out of workers', () => {
  it('thresholds that were set by hand hold for the next generation, after scale to zero, and after a restart', async () => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const servers = ['--nats', nats.url, '--etcd', etcd.url];
    const args = [
      ...servers,
      ...['--namespace', 'base', '--state', join(folder, 'thresholds.json')],
      ...['--active-decode-blocks-threshold', '0.3'],
    ];
    const generation = (namespace: string) =>
      startCli(['simulate', ...servers, '--namespace', namespace, '--model', MODEL, '--workers', '3']);
    let serving = await serve(args);
    try {
      const first = generation('base-1a2b3c4d');
      await using other = generation('base-other');
      await eventually(async () => {
        expect(await serving.thresholds()).toEqual({ 'base-1a2b3c4d': 0.3 });
        expect((await serving.busy()).pools[0]?.workers.busy).toBeGreaterThan(0);
      });
      const body = JSON.stringify({ model: MODEL, active_decode_blocks_threshold: BY_HAND });
      const headers = { 'content-type': 'application/json' };
      const changed = await httpCall(`${serving.url}/thresholds`, { method: 'PATCH', headers, body });
      expect(changed.status).toBe(200);
      await eventually(async () => expect(await serving.thresholds()).toEqual({ 'base-1a2b3c4d': BY_HAND }));

      const second = generation('base-5e6f7a8b');
      await eventually(async () =>
        expect(await serving.thresholds()).toEqual({
          'base-1a2b3c4d': BY_HAND,
          'base-5e6f7a8b': BY_HAND,
        }),
      );
      await first.end('SIGTERM');
      await eventually(async () => expect(await serving.thresholds()).toEqual({ 'base-5e6f7a8b': BY_HAND }));

      await second.end('SIGTERM');
      await eventually(async () => expect(await serving.busy()).toMatchObject({ state: 'none', pools: [] }));
      const third = generation('base-5e6f7a8b');
      await eventually(async () => expect(await serving.thresholds()).toEqual({ 'base-5e6f7a8b': BY_HAND }));

      await serving.process.end('SIGTERM');
      serving = await serve(args);
      await eventually(async () => expect(await serving.thresholds()).toEqual({ 'base-5e6f7a8b': BY_HAND }));
      await third.end('SIGTERM');
      await other.end('SIGTERM');
    } finally {
      await serving.process.end('SIGTERM');
    }
  });
});
