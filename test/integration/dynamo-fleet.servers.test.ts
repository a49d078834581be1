import { NEVER, type Observable, Subject, defer, merge, retry } from 'rxjs';
import { expect, it } from 'vitest';
import { natsPublisher } from '../../src/adapters/nats/nats-publisher.js';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import { instanceEvents } from '../../src/core/pipeline/instance-events.js';
import { loadMonitor } from '../../src/core/pipeline/load-monitor.js';
import { reduceFleet } from '../../src/core/pipeline/reduce-fleet.js';
import { busySets } from '../../src/core/pipeline/selections.js';
import { configEvents, loadEvents } from '../../src/core/pipeline/source-events.js';
import { policies } from '../../src/core/policy/policies.js';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import { loadMessages } from '../../src/dynamo/publishing/load-messages.js';
import { dynamoFleet, type DynamoFleetOptions } from '../../src/fleet/dynamo-fleet.js';
import { registerWorker } from '../../src/fleet/register-worker.js';
import { setDifference } from '../../src/operators/set-difference.js';
import { describeWith } from '../support/describe-with.js';
import { startEtcd, type EtcdServer } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { startNats, type NatsServer } from '../support/nats-server.js';

const endpointName = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
const transport = { kind: 'tcp', address: '127.0.0.1:9/generate' } as const;
const modelCard = { model: 'tiny', runtimeConfig: { totalKvBlocks: 100 } };
const thresholds = { activeDecodeBlocksThreshold: 0.85 };

/** A registered worker of a release that publishes the given loads. */
function worker(nats: NatsServer, etcd: EtcdServer, id: WorkerId, release: '1.0' | '1.6', at = endpointName) {
  const loads$ = new Subject<ActiveLoad>();
  let [state, publishing] = ['', ''];
  const registration$ = registerWorker({
    etcd: etcd.url,
    ...at,
    transport,
    card: modelCard,
    release,
    workerId: id,
  });
  const subscription = registration$.subscribe((status) => (state = status.state));
  subscription.add(
    loads$
      .pipe(
        loadMessages({ endpoint: at, as: 'worker', release, publisherId: id }),
        natsPublisher({ servers: nats.url }),
      )
      .subscribe((status) => (publishing = status.state)),
  );
  return {
    ready: () => eventually(() => state === 'registered' && publishing === 'live'),
    say: (blocks: number) =>
      loads$.next({
        workerId: id,
        dpRank: 0,
        activeDecodeBlocks: blocks,
        activePrefillTokens: null,
        kvUsedBlocks: release === '1.6' ? blocks : null,
      }),
    leave: () => subscription.unsubscribe(),
  };
}

/** A failure that does not repeat when the pipeline is subscribed to again. */
function firstRunOnly(fails$: Observable<never>): Observable<never> {
  let runs = 0;
  return defer(() => (runs++ === 0 ? fails$ : NEVER));
}

/** The busy sets of a monitor of these sources, in order. */
function monitored(options: DynamoFleetOptions) {
  const monitor = loadMonitor(dynamoFleet(options).pool().sources, { policy: policies.default, thresholds });
  const problems: string[] = [];
  monitor.problems$.subscribe(({ code, text }) => problems.push(`${code}: ${text}`));
  monitor.connect();
  return {
    problems,
    busy: () => [...(monitor.snapshot()?.busy ?? [])].sort(),
    status: () => monitor.snapshot()?.status,
    fleet: () => monitor.snapshot()?.fleet,
    [Symbol.dispose]: () => monitor.stop(),
  };
}

describeWith(['nats-server', 'etcd'], 'dynamoFleet', () => {
  it('a fleet of two releases: workers above the thresholds, until they are free or leave', async () => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const [old, recent] = [workerId('7587888657184927289'), workerId('9')];
    const [one, two] = [worker(nats, etcd, old, '1.0'), worker(nats, etcd, recent, '1.6')];
    await one.ready();
    await two.ready();
    using monitor = monitored({
      nats: nats.url,
      etcd: etcd.url,
      namespace: 'dynamo',
      endpoint: 'backend.generate',
    });
    // A load published before the subscription is lost, so the workers repeat it until it is received.
    let turn = 0;
    await eventually(() => {
      turn = 1 - turn;
      one.say(90 + turn);
      two.say(95 + turn);
      expect(monitor.busy()).toEqual([old, recent].sort());
    });
    one.say(10);
    await eventually(() => expect(monitor.busy()).toEqual([recent]));
    two.leave();
    await eventually(() => expect(monitor.busy()).toEqual([]));
    one.leave();
  });

  it('a pipeline composed by hand: additions and removals, an error of one source, and a retry', async () => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const one = worker(nats, etcd, workerId('9'), '1.6');
    await one.ready();
    const fleet = dynamoFleet({ nats: nats.url, etcd: etcd.url, namespace: 'dynamo' });
    const { configs$, instances$, loads$ } = fleet.pool({ endpoint: endpointName });
    const [configsFail$, pipelineFails$] = [new Subject<never>(), new Subject<never>()];
    const lines: string[] = [];
    const subscription = merge(
      firstRunOnly(pipelineFails$),
      merge(configs$, firstRunOnly(configsFail$)).pipe(configEvents()),
      instances$.pipe(instanceEvents('decode')),
      loads$.pipe(loadEvents()),
    )
      .pipe(reduceFleet(policies.default, { thresholds }), busySets(), setDifference(), retry({ delay: 0 }))
      .subscribe(({ added, removed, isSnapshot }) =>
        lines.push(`${isSnapshot ? 'first ' : ''}+${added.join()} -${removed.join()}`),
      );
    let turn = 0;
    const repeat = (blocks: number, expected: string): Promise<void> =>
      eventually(() => {
        turn = 1 - turn;
        one.say(blocks + turn);
        expect(lines.at(-1)).toBe(expected);
      });
    await repeat(90, '+9 -');
    configsFail$.error(new Error('the watch is lost'));
    await repeat(10, '+ -9');
    await repeat(90, '+9 -');
    expect(lines).toEqual(['first + -', '+9 -', '+ -9', '+9 -']);
    lines.length = 0;
    pipelineFails$.error(new Error('broken'));
    await repeat(90, '+9 -');
    expect(lines).toEqual(['first + -', '+9 -']);
    subscription.unsubscribe();
    one.leave();
  });

  it('one id at two endpoints: each pool has its own card', async () => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const id = workerId('9');
    const other = { ...endpointName, component: 'prefill' };
    // For etcd, the second registration of an id belongs to another process, so its keys are written by hand.
    const first = worker(nats, etcd, id, '1.6');
    await first.ready();
    const [instance, model] = await Promise.all([
      etcd.gateway.get('v1/instances/dynamo/backend/'),
      etcd.gateway.get('v1/mdc/dynamo/backend/'),
    ]);
    for (const { key, value } of [...instance, ...model]) {
      const text = new TextDecoder().decode(value).replace('"total_kv_blocks":100', '"total_kv_blocks":1000');
      await etcd.gateway.put(
        key.replace('/backend/', '/prefill/'),
        text.replaceAll('"backend"', '"prefill"'),
      );
    }
    using small = monitored({ nats: nats.url, etcd: etcd.url, endpoint: { ...endpointName } });
    using large = monitored({ nats: nats.url, etcd: etcd.url, endpoint: other });
    // A message on the subject of an endpoint is received by the pool of that endpoint.
    let turn = 0;
    await eventually(() => {
      turn = 1 - turn;
      first.say(90 + turn);
      expect(small.busy()).toEqual([id]);
    });
    expect(large.busy()).toEqual([]);
    first.leave();
  });

  it('records that cannot be decoded are problems of the monitor', async () => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    await etcd.gateway.put('v1/mdc/dynamo/backend/generate/9', 'no json');
    using monitor = monitored({ nats: nats.url, etcd: etcd.url });
    await eventually(() => expect(monitor.problems.join()).toContain('undecodable'));
    expect(monitor.problems.join()).toContain('v1/mdc/dynamo/backend/generate/9');
  });

  it('while a server is down its status has the reason and since; its last values stay', async () => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const one = worker(nats, etcd, workerId('9'), '1.6');
    await one.ready();
    using monitor = monitored({ nats: nats.url, etcd: etcd.url });
    let turn = 0;
    await eventually(() => {
      turn = 1 - turn;
      one.say(90 + turn);
      expect(monitor.busy()).toEqual(['9']);
    });
    await etcd.kill();
    await eventually(() => {
      const discovery = monitor.status()?.find(({ source }) => source === 'discovery');
      expect(discovery).toMatchObject({ state: 'down' });
      expect(discovery?.why).toContain(etcd.url);
    });
    expect(monitor.busy()).toEqual(['9']);
    await etcd.restart();
    await eventually(() =>
      expect(monitor.status()?.find(({ source }) => source === 'discovery')).toMatchObject({ state: 'live' }),
    );
    one.leave();
  });
});
