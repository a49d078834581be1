import { ServiceError, Svcm } from '@nats-io/services';
import { connect } from '@nats-io/transport-node';
import type { Subscription } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServedEndpoint, serveStats } from '../../../src/adapters/nats/serve-stats.js';
import { liveStatsCommand, type LiveStatsOptions } from '../../../src/cli/stats/live-stats.js';
import { workerId } from '../../../src/core/worker-id.js';
import { encodeForwardPassMetrics } from '../../../src/wire/services/forward-pass-metrics.js';
import { serviceName, serviceSubject } from '../../../src/wire/services/service-names.js';
import { Responders } from '../../integration/nats/responders.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import type { Finished } from '../../support/processes.js';
import { jsonLines, runCli } from '../../support/run-cli.js';
import { RunningCommand } from '../../support/run-command.js';

const service = serviceName('dynamo', 'backend');

/** The endpoints of a worker of 0.6 with the given number of active blocks of 1 000. */
function worker(id: string, active: () => number): readonly ServedEndpoint[] {
  const metrics = (): string =>
    encodeForwardPassMetrics({
      workerStats: {
        dataParallelRank: null,
        requestActiveSlots: 3,
        requestTotalSlots: 256,
        numRequestsWaiting: 2,
      },
      kvStats: {
        kvActiveBlocks: active(),
        kvTotalBlocks: 1_000,
        gpuCacheUsagePerc: 0.5,
        gpuPrefixCacheHitRate: 0,
      },
      specDecodeStats: null,
    });
  return [
    { subject: serviceSubject(service, 'generate', workerId(id)), stats: () => ({ numRequests: 5 }) },
    {
      subject: serviceSubject(service, 'load_metrics', workerId(id)),
      stats: () => ({ data: metrics() }),
    },
  ];
}

describeWith('nats-server', 'tidemark stats', () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats.stop());
  const stats = (...args: string[]): Promise<Finished> => runCli(['stats', '--nats', nats.url, ...args]);
  const serve = async (id: string, active: () => number): Promise<Subscription> => {
    let live = false;
    const serving$ = serveStats({ servers: nats.url }, service, worker(id, active));
    const subscription = serving$.subscribe(({ state }) => (live ||= state === 'live'));
    await eventually(() => live);
    return subscription;
  };

  it('a service of the official package: every endpoint with its counts', async () => {
    const connection = await connect({ servers: nats.url });
    // The package has its own copy of the client's core, with different types.
    const official = await new Svcm(connection as never).add({
      name: 'orders',
      version: '1.2.3',
      statsHandler: () => Promise.resolve({ open: 7 }),
    });
    official.addEndpoint('place', (_, message) => void message.respond('placed'));
    official.addEndpoint('cancel', () => {
      throw new ServiceError(404, 'no such order');
    });
    for (let n = 0; n < 3; n += 1) await connection.request('place', 'x');
    await connection.request('cancel', 'x');

    const text = await stats('--service', 'orders');
    expect([text.code, text.err]).toEqual([0, '']);
    const [head, ...rows] = text.out.split('\n');
    expect(head).toMatch(/^SERVICE +INSTANCE +ENDPOINT +REQUESTS +ERRORS +MEAN TIME/);
    expect(rows.find((row) => / place /.test(row))).toMatch(/^orders +\S+ +place +3 +0 +[\d.]+ (ns|µs|ms|s)/);
    expect(rows.find((row) => / cancel /.test(row))).toMatch(/^orders +\S+ +cancel +1 +1 +.*no such order/);
    expect(text.out).toContain('1 service, 1 instance, 2 endpoints');

    const objects = jsonLines((await stats('--service', 'orders', '--json')).out);
    expect(objects).toMatchObject([
      {
        kind: 'service',
        name: 'orders',
        version: '1.2.3',
        endpoints: [
          { name: 'place', numRequests: 3, numErrors: 0, data: { open: 7 }, metrics: null },
          { name: 'cancel', numRequests: 1, numErrors: 1 },
        ],
      },
      { kind: 'scrape', complete: true, why: null, instances: 1, problems: 0, loads: [] },
    ]);
    await official.stop();
    await connection.close();
  });

  it('workers of Dynamo: their metrics and the average', async () => {
    const [one, two] = [await serve('7587888657184927289', () => 300), await serve('8', () => 500)];
    const text = await stats('--namespace', 'dynamo', '--component', 'backend');
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/dynamo_backend.load_metrics-694d988806b92e39 .* 300\/1000 \(30 %\) +3\/256 +2/);
    expect(text.out).toMatch(/dynamo_backend.generate-8 +5 +0 +0 ns\n/);
    expect(text.out).toContain(
      'dynamo_backend: 2 workers; active KV blocks 400 on average, deviation 100\n1 service, 2 instances, 4 endpoints',
    );
    const objects = jsonLines((await stats('--json')).out);
    expect(objects.at(-1)).toMatchObject({
      loads: [{ service, loadAvg: 400, loadStd: 100, workers: ['8', '7587888657184927289'] }],
    });
    one.unsubscribe();
    two.unsubscribe();
  });

  it('replies that cannot be read are reported, and the others are printed', async () => {
    await using responders = await Responders.connect(nats.url);
    await responders.add(`$SRV.STATS.${service}`, () => ({ reply: 'no JSON' }));
    const serving = await serve('8', () => 5);
    const { code, out, err } = await stats('--service', service);
    expect([code, out.includes('load_metrics-8'), err.split('\n').length]).toEqual([0, true, 2]);
    serving.unsubscribe();
  });

  it('no replies: says what to check, exit code 1', async () => {
    for (const [args, hint] of [
      [[], 'this server has no NATS micro services'],
      [['--service', 'unknown'], 'check the name'],
    ] as const) {
      const { code, out, err } = await stats(...args);
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain(hint);
    }
  });

  it('no server: says so, exit code 2', async () => {
    const { code, err } = await runCli(['stats', '--nats', `nats://127.0.0.1:${await freePort()}`]);
    expect(code).toBe(2);
    expect(err).toContain('ECONNREFUSED');
    expect(err).not.toContain('no replies received');
  });

  it('--watch prints changes and the status of the server, and ends with a signal', async () => {
    let active = 100;
    const serving = await serve('8', () => active);
    const options: LiveStatsOptions = {
      nats: { servers: nats.url },
      service,
      endpoint: 'load_metrics',
      windowMs: 50,
      every: 0.05,
      duration: undefined,
      json: true,
    };
    const watching = new RunningCommand((terminal, end$) => liveStatsCommand(options, terminal, end$));
    const average = (): unknown =>
      (watching.of('scrape').at(-1)?.['loads'] as { loadAvg: number }[] | undefined)?.[0]?.loadAvg;
    await eventually(() => average() === 100);
    active = 200;
    await eventually(() => average() === 200);
    await nats.kill();
    await eventually(() => watching.health('scrape') === 'down');
    await nats.restart();
    const restarted = watching.objects.length;
    await eventually(() => watching.health('scrape') === 'live');
    await eventually(() => watching.objects.length > restarted && average() === 200);
    await watching.end();
    serving.unsubscribe();
  });
});

describe('tidemark stats --help', () => {
  it('lists the variables and has examples', async () => {
    const { out } = await runCli(['stats', '--help']);
    expect(out).toContain('NATS_AUTH_TOKEN');
    expect(out).toContain('$ tidemark stats --service orders --watch --every 5');
  });
});
