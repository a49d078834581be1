import { Subject } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { policies } from '../../../src/core/policy/policies.js';
import type { WorkerId } from '../../../src/core/worker-id.js';
import { dynamoFleet } from '../../../src/fleet/dynamo-fleet.js';
import {
  type LiveSimulatorOptions,
  liveSimulator,
} from '../../../src/fleet/live-simulator/live-simulator.js';
import type { SimulatorEvent } from '../../../src/fleet/live-simulator/simulator-event.js';
import { FleetPools } from '../../../src/fleet/pools/fleet-pools.js';
import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';
import { registerWorker } from '../../../src/fleet/register-worker.js';
import { describeWith } from '../../support/describe-with.js';
import { type EtcdServer, startEtcd } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { ownName, sharedEtcd, sharedNats } from '../../support/shared-servers.js';

const rules = { policy: policies.default, thresholds: { activeDecodeBlocksThreshold: 0.85 } };
const size = { seed: 3, workers: 4, ranks: 2, durationMs: 600_000, rules } as const;
const releases = ['0.6', '1.0', '1.6'] as const;
const prefixes = ['v1/instances/', 'v1/mdc/'];

/** A simulation that a test ends, or that ends with the test. */
async function simulate(namespace: string, options: Partial<LiveSimulatorOptions> = {}) {
  const [nats, etcd] = await Promise.all([sharedNats(), sharedEtcd()]);
  const servers = { nats: nats.url, etcd: etcd.url };
  const simulator = liveSimulator({
    ...servers,
    ...size,
    namespace,
    release: '1.6',
    ttlSeconds: 60,
    ...options,
  });
  const events: SimulatorEvent[] = [];
  const end$ = new Subject<void>();
  let error: unknown;
  const running = simulator.run(end$).subscribe({
    next: (event) => events.push(event),
    error: (reason: unknown) => (error = reason),
  });
  onTestFinished(() => running.unsubscribe());
  return {
    pools: simulator.pools,
    error: () => error as Error | undefined,
    registered: () => events.findLast((event) => event.kind === 'worker')?.registered ?? 0,
    status: () => events.findLast((event) => event.kind === 'status')?.status,
    end: async () => {
      end$.next();
      await eventually(() => running.closed);
      const last = events.at(-1);
      if (last?.kind !== 'ended') throw new Error('the simulation did not end');
      return last;
    },
  };
}

/** A worker that looks like a real one. */
async function realWorker(etcd: EtcdServer, namespace: string, release: (typeof releases)[number] = '1.6') {
  let state = '';
  const worker = registerWorker({
    ...{ etcd: etcd.url, namespace, component: 'backend', endpoint: 'generate', release },
    transport: { kind: 'tcp', address: '127.0.0.1:9000' },
    card: { model: 'real', runtimeConfig: { totalKvBlocks: 1000 } },
  }).subscribe((status) => (state = status.state));
  onTestFinished(() => worker.unsubscribe());
  await eventually(() => state === 'registered');
}

async function keysOf(etcd: EtcdServer, namespace: string): Promise<number> {
  const lists = await Promise.all(prefixes.map((prefix) => etcd.gateway.get(`${prefix}${namespace}/`)));
  return lists.flat().length;
}

describeWith(['nats-server', 'etcd'], 'live simulator', () => {
  it.each(releases)(
    'a namespace with a worker of %s is refused, and nothing is registered',
    async (release) => {
      const etcd = await sharedEtcd();
      const namespace = ownName('foreign');
      await realWorker(etcd, namespace, release);
      const before = await keysOf(etcd, namespace);
      const simulating = await simulate(namespace, { release });
      await eventually(() => simulating.error() !== undefined);
      expect(simulating.error()).toMatchObject({ code: 'foreign-workers' });
      expect(simulating.error()?.message).toContain(`"${namespace}" has 1 worker that is not simulated`);
      expect(await keysOf(etcd, namespace)).toBe(before);
      expect(simulating.registered()).toBe(0);
    },
  );

  it('force simulates in a namespace with other workers', async () => {
    const namespace = ownName('forced');
    await realWorker(await sharedEtcd(), namespace);
    const simulating = await simulate(namespace, { force: true });
    await eventually(() => simulating.registered() === 4);
    await simulating.end();
  });

  it.each(releases)(
    'two simulators of %s share a namespace, whose workers are all simulated',
    async (release) => {
      const namespace = ownName('shared');
      const first = await simulate(namespace, { release });
      await eventually(() => first.registered() === 4);
      const second = await simulate(namespace, { release });
      await eventually(() => second.registered() === 4);
      await Promise.all([first.end(), second.end()]);
      expect(await keysOf(await sharedEtcd(), namespace)).toBe(0);
    },
  );

  it('while etcd cannot be reached it waits and says why, and then it still looks for other workers', async () => {
    await using etcd = await startEtcd();
    await realWorker(etcd, 'late');
    await etcd.kill();
    const simulating = await simulate('late', { etcd: etcd.url });
    await eventually(() => simulating.status()?.state === 'down');
    expect(simulating.status()).toMatchObject({
      source: 'registration (etcd)',
      why: expect.any(String) as string,
    });
    expect(simulating.registered()).toBe(0);
    await etcd.restart();
    await eventually(() => simulating.error() !== undefined);
    expect(simulating.error()).toMatchObject({ code: 'foreign-workers' });
  });

  it('it can be ended while etcd cannot be reached', async () => {
    await using etcd = await startEtcd();
    await etcd.kill();
    const simulating = await simulate('never', { etcd: etcd.url });
    await eventually(() => simulating.status()?.state === 'down');
    expect(await simulating.end()).toMatchObject({ published: 0, busy: [] });
  });

  it.each(['1.0', '1.6'] as const)(
    'a fleet of %s with prefill workers: watched over the servers, it is judged the same',
    async (release) => {
      const namespace = ownName('roles');
      const [nats, etcd] = await Promise.all([sharedNats(), sharedEtcd()]);
      const thresholds = { activeDecodeBlocksThreshold: 0.85, activePrefillTokensThresholdFrac: 1.2 };
      const watched = new FleetPools(dynamoFleet({ nats: nats.url, etcd: etcd.url, namespace }), {
        ...{ policy: policies.default, scheduler: monotonicScheduler, thresholds },
      });
      const watching = watched.run();
      onTestFinished(() => watching.unsubscribe());
      await eventually(
        () => watched.sourceMonitor.snapshot()?.status.every(({ state }) => state === 'live') === true,
      );
      const simulating = await simulate(namespace, {
        ...{ release, prefillWorkers: 2 },
        rules: { ...rules, thresholds },
      });
      // The pools appear in the order in which their first workers register, which the servers may change.
      const verdicts = (pools: FleetPools) =>
        pools
          .list()
          .map(({ name, monitor }) => ({
            role: name.role ?? 'decode',
            busy: [...(monitor.snapshot()?.busy ?? [])].sort(),
            workers: monitor.snapshot()?.fleet.instances,
          }))
          .sort((a, b) => a.role.localeCompare(b.role));
      const busyPrefill = () =>
        verdicts(simulating.pools).find(({ role }) => role === 'prefill')?.busy.length ?? 0;
      await eventually(() => simulating.registered() === 6 && busyPrefill() > 0);
      // The other process of watching is later, so the two agree when the fleet does not change for a moment.
      await eventually(() => expect(verdicts(watched)).toEqual(verdicts(simulating.pools)));
      expect(verdicts(watched).map(({ role }) => role)).toContain('prefill');
      await simulating.end();
    },
  );

  it('closed loop: while all workers are in a given busy set, requests are rejected and the workers drain', async () => {
    const busy$ = new Subject<readonly WorkerId[]>();
    const { pools, ...simulating } = await simulate(ownName('loop'), { closedLoop: { busy$ } });
    const workers = () => pools.list().flatMap(({ monitor }) => monitor.ranks()?.workers ?? []);
    const blocks = () =>
      workers().reduce(
        (sum, { ranks }) => ranks.reduce((all, { kvUsedBlocks }) => all + Number(kvUsedBlocks), sum),
        0,
      );
    await eventually(() => simulating.registered() === 4 && blocks() > 2000);
    busy$.next(workers().map(({ workerId }) => workerId));
    const before = blocks();
    await eventually(() => blocks() < 0.7 * before);
    const { requests } = await simulating.end();
    expect(requests?.routed).toBeGreaterThan(50);
    expect(requests?.rejected).toBeGreaterThan(10);
  });

  it.each([
    [{ release: '2.0' }, /release must be "0\.6" or "1\.0" or "1\.6", not "2\.0"/],
    [{ speed: 1 }, /speed is not an option of liveSimulator/],
    [{ nats: undefined }, /nats must be a URL/],
    [{ release: '0.6', prefillWorkers: 1 }, /0\.6 have no roles/],
    [{ workers: 0 }, /workers must be a whole number/],
    [{ namespace: 'a/b' }, /must not contain a slash/],
    [{ closedLoop: { demand: 0 } }, /demand must be above 0/],
  ] as const)('%j is refused at once', async (options, sentence) => {
    await expect(simulate('bad', options as Partial<LiveSimulatorOptions>)).rejects.toThrow(sentence);
  });
});
