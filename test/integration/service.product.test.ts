import { expect, it } from 'vitest';
import { describeWith } from '../support/describe-with.js';
import { startEtcd } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { EventStream } from '../support/event-stream.js';
import { httpCall } from '../support/http-call.js';
import { startNats } from '../support/nats-server.js';
import { startCli } from '../support/run-cli.js';
import { sourceStates } from '../support/served-sources.js';

describeWith(['nats-server', 'etcd'], 'tidemark serve on a live fleet', () => {
  it('workers that register and publish are served; the state of the sources shows when servers stop, and the service stays ready', async () => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const where = ['--nats', nats.url, '--etcd', etcd.url, '--namespace', 'dynamo'];
    const thresholdArgs = ['--active-decode-blocks-threshold', '0.3'];
    const serve = startCli(['serve', '--port', '0', ...where, ...thresholdArgs]);
    const fleet = startCli(['simulate', '--workers', '3', '--ranks', '1', ...where, ...thresholdArgs]);
    await eventually(() => serve.out.includes('serving'));
    const url = /on (http:\/\/\S+) \(/.exec(serve.out)?.[1] ?? '';
    const json = async (path: string) =>
      JSON.parse((await httpCall(url + path)).body) as Record<string, unknown>;
    try {
      await eventually(async () => expect(await sourceStates(url)).toEqual(['live', 'live']));
      using events = await EventStream.open(`${url}/events`);
      await eventually(async () =>
        expect(await json('/busy')).toMatchObject({ workers: { known: 3, instances: 3 } }),
      );
      // Busy workers are already in the snapshot; each of them becomes busy again eventually.
      await eventually(() =>
        events.of('transition').some(({ busy, reason }) => busy === true && reason === 'load'),
      );
      const { workers } = (await json('/workers')) as { workers: { workerId: string; model: string }[] };
      expect(workers).toHaveLength(3);
      const model = workers[0]?.model;
      expect((await httpCall(`${url}/busy_threshold`)).body).toContain(
        `"model":"${model}","active_decode_blocks_threshold":0.3`,
      );
      expect(await json(`/workers/${workers[0]?.workerId}`)).toMatchObject({
        pools: [{ model, known: true, ranks: [{ rank: 0 }] }],
      });
      const page = (await httpCall(`${url}/metrics`)).body;
      expect(page).toContain(`worker_id="${workers[0]?.workerId}"`);
      expect(page).toMatch(/tidemark_source_state\{[^}]*source="discovery"[^}]*state="live"[^}]*\} 1/);

      await nats.stop();
      await eventually(async () => expect(await sourceStates(url)).toEqual(['down', 'live']));
      expect((await httpCall(`${url}/readyz`)).status).toBe(200);
      expect(await json('/busy')).toMatchObject({ workers: { known: 3 } });
      await fleet.end('SIGTERM');
      await eventually(async () => expect(await json('/busy')).toMatchObject({ state: 'none', pools: [] }));
      expect((await httpCall(`${url}/metrics`)).body).not.toContain('worker_id=');
    } finally {
      await fleet.end('SIGTERM');
      await serve.end('SIGTERM');
    }
  });
});
