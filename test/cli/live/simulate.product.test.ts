import { expect, it } from 'vitest';
import type { RequestCounts } from '../../../src/simulator/simulated-router.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { jsonLines, runCli, startCli } from '../../support/run-cli.js';
import { type GivenFlags, startSimulate, startWatch } from '../../support/live-commands.js';
import type { RunningCommand } from '../../support/run-command.js';
import { ownName, sharedEtcd, sharedNats } from '../../support/shared-servers.js';

const rules = {
  activeDecodeBlocksThreshold: '0.85',
  activePrefillTokensThresholdFrac: '1.2',
  json: true,
} as const;
const fleet = { seed: 3, workers: 4, ranks: 2, duration: 600, ttl: 60, model: 'tiny' } as const;

async function servers() {
  const [nats, etcd] = await Promise.all([sharedNats(), sharedEtcd()]);
  return { nats: nats.url, etcd: etcd.url };
}

async function environment(): Promise<NodeJS.ProcessEnv> {
  const { nats, etcd } = await servers();
  return { NATS_SERVER: nats, ETCD_ENDPOINTS: etcd };
}

async function watch(namespace: string, flags: GivenFlags = {}): Promise<RunningCommand> {
  const watching = startWatch({ ...(await servers()), ...rules, namespace, ...flags });
  await watching.live('loads', 'discovery');
  return watching;
}

async function simulate(namespace: string, flags: GivenFlags): Promise<RunningCommand> {
  return startSimulate({ ...(await servers()), ...rules, ...fleet, namespace, ...flags });
}

const workersOf = (watching: RunningCommand): unknown => watching.of('workers').at(-1)?.['total'];

describeWith(['nats-server', 'etcd'], 'tidemark simulate', () => {
  it.each(['1.0', '1.6'] as const)(
    'a fleet of %s with prefill workers: watch prints the same transitions of both roles',
    async (generation) => {
      const namespace = ownName('roles');
      const watching = await watch(namespace);
      const simulating = await simulate(namespace, { generation, prefillWorkers: 2 });
      const texts = (pattern: RegExp) =>
        Object.values(simulating.transitions())
          .flat()
          .filter((text) => pattern.test(text));
      await eventually(() => texts(/prefill tokens/).length > 2 && texts(/blocks/).length > 2);
      await simulating.end();
      await eventually(() => workersOf(watching) === 0);
      expect(watching.transitions()).toEqual(simulating.transitions());
      expect(await watching.end()).toMatchObject({ failed: 0, gaps: 0 });
    },
  );

  it('closed loop: busy workers drain until they are free, and watch prints the same transitions', async () => {
    const namespace = ownName('loop');
    const low = { activeDecodeBlocksThreshold: '0.3' };
    const watching = await watch(namespace, low);
    const simulating = await simulate(namespace, { ...low, closedLoop: true, ranks: 1 });
    await eventually(() => {
      const freed = simulating.of('transition').filter(({ from, to }) => from === 'busy' && to === 'free');
      return freed.length > 2;
    });
    const { requests } = await simulating.end();
    expect((requests as RequestCounts).rejected).toBeGreaterThan(0);
    await eventually(() => workersOf(watching) === 0);
    expect(watching.transitions()).toEqual(simulating.transitions());
    await watching.end();
  });

  it('DYN_NAMESPACE is ignored, and the default is a namespace of its own', async () => {
    const env = { ...(await environment()), DYN_NAMESPACE: 'prod' };
    const watching = await watch('tidemark-simulation');
    await using simulating = startCli(['simulate', '--workers', '2', '--ttl', '60', '--json'], env);
    await eventually(() => workersOf(watching) === 2);
    const { code, out } = await simulating.end('SIGTERM');
    expect(code).toBe(0);
    expect(jsonLines(out)[0]).toMatchObject({ kind: 'began', namespace: 'tidemark-simulation' });
    expect(await (await sharedEtcd()).gateway.get('v1/instances/prod/')).toEqual([]);
    await watching.end();
  });

  it('a namespace with other workers is refused with one sentence, unless it is forced', async () => {
    const env = await environment();
    const namespace = ownName('prod');
    const etcd = await sharedEtcd();
    await etcd.gateway.put(`v1/instances/${namespace}/backend/generate/7`, '{}');
    const args = ['simulate', '--namespace', namespace, '--workers', '1', '--duration', '1'];
    expect(await runCli(args, { env })).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(
        `tidemark: The namespace "${namespace}" has 1 worker that is not simulated, and simulated workers would mix with it: ` +
          'choose another namespace (--namespace), or simulate there anyway (--force).\n',
      ) as string,
    });
    expect(await runCli([...args, '--force'], { env })).toMatchObject({ code: 0 });
  });

  it('the workers of a simulator that was killed are no reason to refuse', async () => {
    const env = await environment();
    const namespace = ownName('leftovers');
    const args = ['simulate', '--namespace', namespace, '--workers', '2'];
    const etcd = await sharedEtcd();
    const instances = async () => (await etcd.gateway.get(`v1/instances/${namespace}/`)).length;
    await using killed = startCli([...args, '--ttl', '600'], env);
    await eventually(async () => (await instances()) === 2);
    await killed.end('SIGKILL');
    expect(await instances()).toBe(2);
    expect(await runCli([...args, '--duration', '1'], { env })).toMatchObject({ code: 0 });
    expect(await instances()).toBe(2);
  });
});
