import { Svcm } from '@nats-io/services';
import { connect as connectThree } from '@nats-io/transport-node';
import { connect, type NatsConnection } from 'nats';
import { lastValueFrom, map, toArray, type Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { NatsOptionsError } from '../../../src/adapters/nats/nats-options.js';
import { scrapeStats } from '../../../src/adapters/nats/scrape-stats.js';
import { type ServeStatus, type ServedEndpoint, serveStats } from '../../../src/adapters/nats/serve-stats.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startNats } from '../../support/nats-server.js';
import { sharedNats } from '../../support/shared-servers.js';
import { capturedReplies } from '../../wire/services/captured-services.js';

/** The answers of a lone worker of 0.6.0 to each request. */
function capturedReply(request: string): string {
  const found = capturedReplies().find(
    ({ release, stage, subject }) =>
      release === '0.6.0' && stage === 'worker-1 after publications' && subject === request,
  );
  return new TextDecoder().decode(found?.payload);
}

/** A responder and its statuses. */
class Serving implements Disposable {
  readonly statuses: ServeStatus[] = [];
  private readonly subscription: Subscription;

  constructor(...args: Parameters<typeof serveStats>) {
    this.subscription = serveStats(...args).subscribe((status) => this.statuses.push(status));
  }

  get last(): ServeStatus | undefined {
    return this.statuses.at(-1);
  }

  async live(): Promise<this> {
    await eventually(() => this.last?.state === 'live');
    return this;
  }

  [Symbol.dispose](): void {
    this.subscription.unsubscribe();
  }
}

async function asked(connection: NatsConnection, subject: string): Promise<string> {
  return (await connection.request(subject, '', { timeout: 60_000 })).string();
}

describe('serveStats', () => {
  it('all problems of invalid options are reported at once', () => {
    let problems: readonly string[] = [];
    try {
      serveStats({ servers: 'nats://127.0.0.1' }, { name: 'a b', id: '', version: 'one' }, [
        { subject: 'a..b' },
      ]);
    } catch (error) {
      problems = error instanceof NatsOptionsError ? error.problems : [];
    }
    expect(problems).toHaveLength(4);
  });
});

describeWith('nats-server', 'serveStats', () => {
  it('answers byte for byte as a worker of 0.6.0 does', async () => {
    const server = await sharedNats();
    const stats = capturedReply('$SRV.STATS.dynamo_backend');
    const { id, started } = JSON.parse(stats) as { id: string; started: string };
    const metrics = /"data":(\{.*\}),"queue_group":"q"\}\]\}$/.exec(stats)?.[1] ?? '';
    using serving = new Serving(
      { servers: server.url },
      { name: 'dynamo_backend', id, description: 'Dynamo component backend in namespace dynamo' },
      [
        { subject: 'dynamo_backend.generate-3cbca1fde8e79107' },
        { subject: 'dynamo_backend.load_metrics-3cbca1fde8e79107', stats: () => ({ data: metrics }) },
      ],
    );
    await serving.live();
    const connection = await connect({ servers: server.url });
    const withoutStart = (text: string): string => text.replace(/"started":"[^"]*"/, '"started":""');
    expect(stats).toContain(started);
    for (const verb of ['PING', 'INFO', 'STATS']) {
      const wanted = withoutStart(capturedReply(`$SRV.${verb}.dynamo_backend`));
      for (const subject of [
        `$SRV.${verb}`,
        `$SRV.${verb}.dynamo_backend`,
        `$SRV.${verb}.dynamo_backend.${id}`,
      ])
        expect(withoutStart(await asked(connection, subject))).toBe(wanted);
    }
    await connection.close();
  });

  it('counts and times are whole numbers, and the mean is truncated', async () => {
    const server = await sharedNats();
    const endpoints: ServedEndpoint[] = [
      {
        subject: 's.small',
        stats: () => ({ numRequests: 3, numErrors: 1, processingTime: 10.5, lastError: '500:no' }),
      },
      { subject: 's.large', stats: () => ({ numRequests: 2n, processingTime: 2n ** 63n + 1n }) },
    ];
    using serving = new Serving({ servers: server.url }, 's', endpoints);
    await serving.live();
    const connection = await connect({ servers: server.url });
    const text = await asked(connection, '$SRV.STATS.s');
    expect(text).toContain(
      '"num_requests":3,"num_errors":1,"processing_time":10,"average_processing_time":3,"last_error":"500:no"',
    );
    expect(text).toContain(
      '"processing_time":9223372036854775809,"average_processing_time":4611686018427387904',
    );
    await connection.close();
  });

  it('failed statistics, or statistics that are not valid JSON, are reported in the reply, and the others are complete', async () => {
    const server = await sharedNats();
    using serving = new Serving({ servers: server.url }, 's', [
      {
        subject: 's.throws',
        stats: () => {
          throw new Error('no engine');
        },
      },
      { subject: 's.garbled', stats: () => ({ data: '{"a":' }) },
      { subject: 's.good', stats: () => ({ data: '{"a":1}' }) },
    ]);
    await serving.live();
    const connection = await connect({ servers: server.url });
    const { endpoints } = JSON.parse(await asked(connection, '$SRV.STATS.s')) as {
      endpoints: { data: unknown; last_error: string }[];
    };
    expect(endpoints.map(({ data }) => data)).toEqual([null, null, { a: 1 }]);
    expect(endpoints.map(({ last_error }) => last_error)).toEqual([
      '500:reading the statistics failed: no engine',
      expect.stringContaining('500:reading the statistics failed: '),
      '',
    ]);
    await connection.close();
  });

  it('a reply that is too large is reported in the status, and the responder continues', async () => {
    await using server = await startNats({ configText: 'max_payload: 2000' });
    let size = 5_000;
    const stats = (): { data: string } => ({ data: JSON.stringify('x'.repeat(size)) });
    using serving = new Serving({ servers: server.url }, 's', [{ subject: 's.large', stats }]);
    await serving.live();
    const connection = await connect({ servers: server.url });
    await expect(connection.request('$SRV.STATS.s', '', { timeout: 300 })).rejects.toThrow('TIMEOUT');
    await eventually(() => expect(serving.last?.why).toContain('$SRV.STATS.s could not be sent'));
    expect(serving.last).toMatchObject({ state: 'live', answered: 0 });
    size = 5;
    expect(await asked(connection, '$SRV.STATS.s')).toContain('xxxxx');
    await connection.close();
  });

  it('after a lost connection it answers again; after unsubscription it does not', async () => {
    await using server = await startNats();
    const scrape$ = scrapeStats({ servers: server.url }, 's', { windowMs: 100 });
    const replies = (): Promise<number> =>
      lastValueFrom(
        scrape$.pipe(
          toArray(),
          map(({ length }) => length),
        ),
      );
    {
      using one = new Serving({ servers: server.url }, 's', []);
      using two = new Serving({ servers: server.url }, 's', []);
      await Promise.all([one.live(), two.live()]);
      expect(await replies()).toBe(2);
      await server.kill();
      await eventually(() => one.last?.state === 'down' && two.last?.state === 'down');
      await server.restart();
      await Promise.all([one.live(), two.live()]);
      await eventually(async () => expect(await replies()).toBe(2));
    }
    await eventually(async () => expect(await replies()).toBe(0));
  });

  it('the official client reads it, over connections of either client that the caller owns', async () => {
    const server = await sharedNats();
    const connection = await connect({ servers: server.url });
    const three = await connectThree({ servers: server.url });
    using one = await new Serving(connection, 's', [
      { subject: 's.a', stats: () => ({ numRequests: 7 }) },
    ]).live();
    using two = await new Serving(three, { name: 's', version: '1.2.3' }, []).live();
    // The package has its own copy of the client core, whose types have other names.
    const client = new Svcm(three as never).client({ strategy: 'stall', maxWait: 1_000 });
    const found: { version: string; requests: number[] }[] = [];
    for await (const { version, endpoints = [] } of await client.stats('s'))
      found.push({ version, requests: endpoints.map(({ num_requests }) => num_requests) });
    expect(found.sort((a, b) => a.version.localeCompare(b.version))).toEqual([
      { version: '0.0.1', requests: [7] },
      { version: '1.2.3', requests: [] },
    ]);
    let [pings, infos] = [0, 0];
    for await (const { name } of await client.ping()) pings += Number(name === 's');
    for await (const { endpoints } of await client.info('s')) infos += endpoints.length;
    expect([pings, infos]).toEqual([2, 1]);
    await three.close();
    await eventually(() => two.last?.state === 'ended');
    expect(one.last?.state).toBe('live');
    await connection.close();
  });
});
