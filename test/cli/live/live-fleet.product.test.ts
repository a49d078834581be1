import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { startEtcd, type EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startSimulate, startWatch, type GivenFlags } from '../../support/live-commands.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { startCli } from '../../support/run-cli.js';
import type { RunningCommand } from '../../support/run-command.js';

const thresholds = { activeDecodeBlocksThreshold: '0.85', policy: 'default', json: true } as const;

describeWith(['nats-server', 'etcd'], 'tidemark simulate and tidemark watch on real servers', () => {
  let nats: NatsServer;
  let etcd: EtcdServer;
  beforeAll(async () => {
    [nats, etcd] = await Promise.all([startNats(), startEtcd()]);
  });
  afterAll(() => Promise.all([nats.stop(), etcd.stop()]));

  const servers = (namespace: string): { nats: string; etcd: string; namespace: string } => ({
    nats: nats.url,
    etcd: etcd.url,
    namespace,
  });
  const watch = async (namespace: string): Promise<RunningCommand> => {
    const watching = startWatch({ ...servers(namespace), ...thresholds, endpoint: 'backend.generate' });
    await watching.live('loads', 'discovery');
    return watching;
  };
  const simulate = (namespace: string, flags: GivenFlags = {}): RunningCommand =>
    startSimulate({
      ...servers(namespace),
      ...thresholds,
      ...{ seed: 3, workers: 5, ranks: 2, duration: 600, ttl: 60, model: 'tiny' },
      ...flags,
    });
  const workersOf = (watching: RunningCommand): unknown => watching.of('workers').at(-1)?.['total'];
  /** The workers that were busy when they left the fleet. */
  const leftBusy = (watching: RunningCommand): unknown[] =>
    watching
      .of('transition')
      .flatMap(({ from, reason, workerId }) => (from === 'busy' && reason === 'left' ? [workerId] : []));

  it.concurrent.each(['1.0', '1.6'] as const)(
    'a fleet of %s: watch and simulate agree on which workers are busy',
    async (generation) => {
      const namespace = `agrees-${generation.replace('.', '-')}`;
      const watching = await watch(namespace);
      const simulating = simulate(namespace, { generation });
      await eventually(() => simulating.of('transition').length > 5);
      const { busy } = await simulating.end();
      await eventually(() => workersOf(watching) === 0);
      expect(watching.transitions()).toEqual(simulating.transitions());
      expect(leftBusy(watching).sort()).toEqual((busy as string[]).toSorted());
      expect(await watching.end()).toMatchObject({ workers: 0, failed: 0, gaps: 0, busy: [] });
      expect(simulating.of('worker').filter(({ change }) => change === 'registered')).toHaveLength(5);
    },
  );

  it('a restart of NATS is reported with the gaps that it caused, and then both agree again', async () => {
    const watching = await watch('cut');
    const simulating = simulate('cut');
    await eventually(() => simulating.of('transition').length > 2);
    await nats.kill();
    await eventually(() => watching.health('loads') === 'down' && simulating.health('publisher') === 'down');
    const before = simulating.of('transition').length;
    await eventually(() => simulating.of('transition').length > before + 1);
    await nats.restart();
    const cut = (): Set<unknown> =>
      new Set(
        watching.of('gap').flatMap(({ publisherId, detached }) => (detached === true ? [publisherId] : [])),
      );
    await eventually(() => cut().size === 5);
    // The next load of each rank makes up for the dropped ones.
    const since = simulating.of('transition').length;
    await eventually(() => simulating.of('transition').length > since + 2);
    expect([watching.health('loads'), simulating.health('publisher')]).toEqual(['live', 'live']);
    const { busy } = await simulating.end();
    await eventually(() => workersOf(watching) === 0);
    expect(leftBusy(watching).sort()).toEqual((busy as string[]).toSorted());
    await watching.end();
  });

  it.concurrent.each([
    { signal: 'SIGTERM', ttl: '600', code: 0 },
    { signal: 'SIGKILL', ttl: '1', code: null },
  ] as const)('the workers leave when the simulator is ended by $signal', async ({ signal, ttl, code }) => {
    const watching = await watch(signal.toLowerCase());
    const env = {
      NATS_SERVER: nats.url,
      ETCD_ENDPOINTS: etcd.url,
      TIDEMARK_SIMULATE_NAMESPACE: signal.toLowerCase(),
    };
    await using simulating = startCli(['simulate', '--workers', '3', '--ttl', ttl], env);
    await eventually(() => workersOf(watching) === 3);
    expect((await simulating.end(signal)).code).toBe(code);
    await eventually(() => workersOf(watching) === 0);
    expect(await watching.end()).toMatchObject({ workers: 0, busy: [] });
  });
});
