import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { startEtcd, type EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startSimulate, startWatch } from '../../support/live-commands.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { runCli } from '../../support/run-cli.js';
import type { RunningCommand } from '../../support/run-command.js';

const thresholds = { activeDecodeBlocksThreshold: '0.85', policy: 'default', json: true } as const;

describeWith(
  ['nats-server', 'etcd'],
  'tidemark watch --scrape and tidemark simulate --generation 0.6',
  () => {
    let nats: NatsServer;
    let etcd: EtcdServer;
    beforeAll(async () => {
      [nats, etcd] = await Promise.all([startNats(), startEtcd()]);
    });
    afterAll(() => Promise.all([nats.stop(), etcd.stop()]));

    const running = (namespace: string): { watching: RunningCommand; simulating: RunningCommand } => {
      const servers = { nats: nats.url, etcd: etcd.url, namespace, ...thresholds };
      const watching = startWatch({ ...servers, endpoint: 'backend.generate', scrape: true });
      const simulating = startSimulate({
        ...servers,
        ...{ seed: 3, workers: 5, ranks: 2, duration: 600, generation: '0.6', ttl: 60, model: 'tiny' },
      });
      return { watching, simulating };
    };
    /** The busy workers according to the latest transition of each worker. */
    const busy = (command: RunningCommand): Set<unknown> => {
      const last = new Map(command.of('transition').map(({ workerId, busy }) => [workerId, busy]));
      return new Set([...last].filter(([, isBusy]) => isBusy === true).map(([id]) => id));
    };

    it('watch and simulate repeatedly agree on which workers are busy', async () => {
      const { watching, simulating } = running('old');
      await watching.live('scrape', 'discovery');
      await eventually(() => watching.of('workers').at(-1)?.['total'] === 5);
      for (let round = 0; round < 3; round += 1) {
        const before = simulating.of('transition').length;
        await eventually(() => simulating.of('transition').length > before + 2);
        // A scrape is delayed, so the two agree when the fleet does not change for a moment.
        await eventually(() => expect(busy(watching)).toEqual(busy(simulating)));
      }
      expect(watching.of('transition').find(({ to }) => to === 'busy')?.['text']).toMatch(
        /rank 0 active decode blocks \d+ > 850/,
      );
      await simulating.end();
      await eventually(() => watching.of('workers').at(-1)?.['total'] === 0);
      expect(await watching.end()).toMatchObject({ workers: 0, busy: [] });
    });

    it('a restart of NATS is reported once, and then both agree again', async () => {
      const { watching, simulating } = running('cut');
      await watching.live('scrape', 'discovery');
      await nats.kill();
      await eventually(() => watching.health('scrape') === 'down');
      expect(watching.of('status').findLast(({ source }) => source === 'scrape')?.['why']).toMatch(
        /NATS|disconnect/,
      );
      await nats.restart();
      await eventually(() => watching.health('scrape') === 'live');
      await eventually(() => busy(simulating).size > 0);
      await eventually(() => expect(busy(watching)).toEqual(busy(simulating)));
      expect(watching.of('problem').filter(({ code }) => code === 'scrape-failed')).toEqual([]);
      await simulating.end();
      await watching.end();
    });

    it('--scrape without an endpoint: an error that says what is missing', async () => {
      const { code, err } = await runCli(['watch', '--scrape', '--nats', nats.url, '--etcd', etcd.url]);
      expect(code).toBe(2);
      expect(err).toContain('scrape needs an endpoint to poll: set it, as in --endpoint backend.generate');
    });
  },
);
