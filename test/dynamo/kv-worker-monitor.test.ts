import { concat, NEVER, Observable, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ActiveLoad, FleetEvent } from '../../src/core/events/fleet-event.js';
import type { ConfigChange, InstanceChange } from '../../src/core/pipeline/monitor-sources.js';
import { ThresholdError } from '../../src/core/policy/load-threshold-config.js';
import { policies } from '../../src/core/policy/policies.js';
import type { SourceStatus } from '../../src/core/sources/source-status.js';
import { clientPolicies } from '../../src/dynamo/client-policy.js';
import { instanceClient } from '../../src/dynamo/instance-client.js';
import { KvWorkerMonitor } from '../../src/dynamo/kv-worker-monitor.js';
import { id } from '../support/fleet.js';
import { MonitoredClient, type Release } from './monitored-client.js';
import { loadWithBlocks, configsOf, ManualClock, ids, collect } from './virtual-fleet.js';

const releases = Object.keys(clientPolicies) as Release[];
const remembering: Release[] = ['dynamo-1.4', 'dynamo-1.6', 'default'];
const forgetting: Release[] = ['dynamo-0.8', 'dynamo-1.0', 'dynamo-1.1'];

describe.each(releases)('every release: %s', (release) => {
  it('notifies the client of overloaded workers before other subscribers', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    const emitted: string[][] = [];
    fleet.monitor.busy$.subscribe((busy) => emitted.push([[...busy].join('+'), fleet.free.join('+')]));
    fleet.load(2, 91);
    fleet.load(1, 91);
    fleet.load(2, 90);
    expect(emitted).toEqual([
      ['', '1+2'],
      ['2', '1'],
      ['1+2', ''],
      ['1', '2'],
    ]);
  });

  it('a start has no effect while it runs', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    fleet.load(2, 91);
    await fleet.monitor.startMonitoring();
    expect([[...(fleet.monitor.snapshot()?.busy ?? [])], fleet.free]).toEqual([['2'], ['1']]);
  });

  it('starts before startMonitoring returns', () => {
    const fleet = new MonitoredClient(release);
    const running: boolean[] = [];
    fleet.monitor.running$.subscribe((value) => running.push(value));
    void fleet.monitor.startMonitoring();
    expect([fleet.feed.configs$.observed, fleet.feed.loads$.observed, running]).toEqual([
      true,
      true,
      [false, true],
    ]);
    fleet.monitor.stopMonitoring();
    expect([fleet.feed.configs$.observed, fleet.feed.loads$.observed, running]).toEqual([
      false,
      false,
      [false, true, false],
    ]);
  });

  it('starts again after a stop, with empty state and the thresholds that were set', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    fleet.monitor.setLoadThresholdConfig({ activeDecodeBlocksThreshold: 0.5 });
    fleet.load(2, 60);
    expect(fleet.free).toEqual(['1']);
    fleet.monitor.stopMonitoring();
    expect([fleet.monitor.snapshot(), fleet.free]).toEqual([undefined, ['1']]);
    await fleet.started(1, 2);
    expect(fleet.free).toEqual(['1', '2']);
    fleet.load(1, 51);
    expect(fleet.free).toEqual(['2']);
  });

  it('the first start keeps the overloaded workers of the client', async () => {
    const fleet = new MonitoredClient(release);
    fleet.client.connect();
    fleet.client.setOverloaded(ids(9));
    await fleet.monitor.startMonitoring();
    expect([...fleet.client.snapshot().overloaded]).toEqual(['9']);
  });

  it('clones share everything', async () => {
    const fleet = new MonitoredClient(release);
    const clone = fleet.monitor.clone();
    clone.activeDecodeBlocksThreshold = 0.25;
    await clone.startMonitoring();
    fleet.settle(1);
    const busy = collect(fleet.monitor.busy$);
    fleet.load(1, 26);
    expect(fleet.monitor.activeDecodeBlocksThreshold).toBe(0.25);
    expect([busy, [...(clone.snapshot()?.busy ?? [])]]).toEqual([[[], ['1']], ['1']]);
    fleet.monitor[Symbol.dispose]();
    expect(clone.snapshot()).toBeUndefined();
  });

  it('changes only the given thresholds', () => {
    const { monitor } = new MonitoredClient(release, { activePrefillTokensThreshold: 1000 });
    const before = { ...monitor.loadThresholdConfig() };
    monitor.setLoadThresholdConfig({
      activeDecodeBlocksThreshold: 0.75,
      activePrefillTokensThreshold: undefined,
    });
    expect(monitor.loadThresholdConfig()).toMatchObject({ ...before, activeDecodeBlocksThreshold: 0.75 });
    monitor.activePrefillTokensThreshold = 2n ** 60n;
    monitor.activePrefillTokensThresholdFrac = 0.5;
    expect([
      monitor.activeDecodeBlocksThreshold,
      monitor.activePrefillTokensThreshold,
      monitor.activePrefillTokensThresholdFrac,
    ]).toEqual([0.75, 2n ** 60n, 0.5]);
  });

  it('a second start uses the thresholds as they were given', async () => {
    const fleet = new MonitoredClient(release, { activeDecodeBlocksThreshold: 0.57001 });
    const stored = fleet.monitor.activeDecodeBlocksThreshold;
    await fleet.started(1);
    expect(fleet.monitor.snapshot()?.thresholds.activeDecodeBlocksThreshold).toBe(stored);
    fleet.monitor.stopMonitoring();
    await fleet.started(1);
    expect(fleet.monitor.snapshot()?.thresholds.activeDecodeBlocksThreshold).toBe(stored);
  });

  it('the start fails if the configs error immediately, and can be repeated', async () => {
    let tries = 0;
    const configs = new Observable<ConfigChange>((subscriber) => {
      tries += 1;
      if (tries === 1) subscriber.error(new Error('no etcd'));
      else subscriber.next(configsOf(1));
    });
    const fleet = new MonitoredClient(release, { activeDecodeBlocksThreshold: 0.9 }, { configs });
    await expect(fleet.monitor.startMonitoring()).rejects.toThrow(
      'The configs of the workers are not available: no etcd. Call startMonitoring() again to retry.',
    );
    expect([fleet.problems, fleet.feed.loads$.observed]).toEqual([['source-error configs'], false]);
    await fleet.monitor.startMonitoring();
    fleet.feed.instances$.next(ids(1));
    fleet.load(1, 91);
    expect([fleet.free, fleet.problems.length]).toEqual([[], 1]);
  });
});

describe.each(forgetting)('up to 1.1: %s', (release) => {
  it('a permanently busy worker becomes free after 5 s, and stays free', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    fleet.load(2, 91);
    fleet.clock.advance(4999);
    expect(fleet.free).toEqual(['1']);
    fleet.clock.advance(1);
    expect(fleet.free).toEqual(['1', '2']);
    fleet.load(2, 99);
    fleet.clock.advance(60_000);
    expect(fleet.free).toEqual(['1', '2']);
    expect([...(fleet.monitor.snapshot()?.busy ?? [])]).toEqual(['2']);
  });

  it('does not notify the prefill client', async () => {
    const fleet = await new MonitoredClient(release).started(1);
    const prefill = fleet.newClient(release, of(ids(1, 5)));
    fleet.monitor.setPrefillClient(prefill);
    fleet.load(1, 91);
    expect([...prefill.snapshot().free]).toEqual(['1', '5']);
  });

  it('ends with the loads, reports it, and can be started again', async () => {
    let loads$ = new Subject<ActiveLoad>();
    const loads = new Observable<ActiveLoad>((subscriber) => loads$.subscribe(subscriber));
    const fleet = await new MonitoredClient(release, { activeDecodeBlocksThreshold: 0.9 }, { loads }).started(
      1,
      2,
    );
    loads$.next(loadWithBlocks(2, 91));
    loads$.complete();
    expect([fleet.problems, fleet.monitor.snapshot()]).toEqual([['source-ended loads'], undefined]);
    loads$ = new Subject();
    await fleet.started(1, 2);
    loads$.next(loadWithBlocks(1, 91));
    expect(fleet.free).toEqual(['2']);
  });
});

describe.each(remembering)('from 1.4 on: %s', (release) => {
  it('a permanently busy worker is never free', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    const free = collect(fleet.client.free$);
    fleet.load(2, 91);
    fleet.clock.advance(3_600_000);
    expect(free).toEqual([['1', '2'], ['1']]);
  });

  it('continues without its loads', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    fleet.load(2, 91);
    fleet.feed.loads$.complete();
    expect([fleet.problems.length, fleet.free]).toEqual([1, ['1']]);
    expect(fleet.monitor.snapshot()).toBeDefined();
  });

  it('a worker that left is not overloaded when it returns', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    fleet.load(2, 91);
    fleet.settle(1);
    fleet.settle(1, 2);
    expect(fleet.free).toEqual(['1', '2']);
  });

  it('refuses a threshold outside its range, and keeps the current ones', () => {
    const { monitor } = new MonitoredClient(release);
    expect(() => monitor.setLoadThresholdConfig({ activeDecodeBlocksThreshold: 1.5 })).toThrow(
      ThresholdError,
    );
    expect(() => (monitor.activePrefillTokensThresholdFrac = -1)).toThrow(ThresholdError);
    expect(monitor.loadThresholdConfig()).toMatchObject({
      activeDecodeBlocksThreshold: 0.9,
      activePrefillTokensThresholdFrac: null,
    });
    expect(() => new MonitoredClient(release, { activeDecodeBlocksThreshold: NaN })).toThrow(ThresholdError);
  });

  it('a worker with an overload mark is overloaded at once, until its next load', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    fleet.client.markOverloaded(id(2));
    expect([fleet.free, [...(fleet.monitor.snapshot()?.busy ?? [])]]).toEqual([['1'], ['2']]);
    fleet.load(2, 1);
    expect(fleet.free).toEqual(['1', '2']);
  });
});

describe.each<Release>(['dynamo-1.6', 'default'])('from 1.6 on: %s', (release) => {
  it('an overload mark ends after a second', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    const free = collect(fleet.client.free$);
    fleet.client.markOverloaded(id(2));
    fleet.clock.advance(600);
    fleet.client.markOverloaded(id(2));
    fleet.clock.advance(999);
    expect(fleet.free).toEqual(['1']);
    fleet.clock.advance(1);
    expect(free).toEqual([['1', '2'], ['1'], ['1', '2']]);
  });

  it('receives that a worker is down, and that it is available again', async () => {
    const fleet = await new MonitoredClient(release).started(1, 2);
    fleet.client.reportDown(id(2));
    expect(fleet.monitor.snapshot()?.fleet.down).toBe(1);
    fleet.clock.advance(5000);
    expect(fleet.monitor.snapshot()?.fleet).toMatchObject({ down: 0, instances: 2 });
  });
});

describe('overload marks of other workers', () => {
  it('1.6: end with any load', async () => {
    const fleet = await new MonitoredClient('dynamo-1.6').started(1, 2);
    fleet.client.markOverloaded(id(2));
    fleet.load(1, 1);
    expect(fleet.free).toEqual(['1', '2']);
  });

  it('default: do not end with a load of another worker', async () => {
    const fleet = await new MonitoredClient('default').started(1, 2, 3);
    fleet.client.markOverloaded(id(2));
    fleet.load(1, 1);
    fleet.load(3, 91);
    expect(fleet.free).toEqual(['1']);
  });
});

describe('1.6', () => {
  it('forgets a worker that is down', async () => {
    const fleet = await new MonitoredClient('dynamo-1.6').started(1, 2);
    fleet.load(2, 91);
    fleet.client.reportDown(id(2));
    expect([...(fleet.monitor.snapshot()?.busy ?? ['?'])]).toEqual([]);
  });

  it('ends with the instances, and can be started again after the client', async () => {
    let instances$ = new Subject<InstanceChange>();
    const client = instanceClient(new Observable<InstanceChange>((out) => instances$.subscribe(out)), {
      policy: clientPolicies['dynamo-1.6'],
      scheduler: new ManualClock(),
    });
    const fleet = new MonitoredClient('dynamo-1.6', { activeDecodeBlocksThreshold: 0.9 }, { client });
    await fleet.monitor.startMonitoring();
    instances$.complete();
    expect([fleet.problems, fleet.monitor.snapshot()]).toEqual([['source-ended instances'], undefined]);
    client.stop();
    instances$ = new Subject();
    await fleet.monitor.startMonitoring();
    instances$.next(ids(1));
    fleet.feed.configs$.next(configsOf(1));
    fleet.load(1, 91);
    expect([...client.snapshot().overloaded]).toEqual(['1']);
  });
});

describe('default', () => {
  it('keeps the state of a worker that is down', async () => {
    const fleet = await new MonitoredClient().started(1, 2);
    fleet.load(2, 91);
    fleet.client.reportDown(id(2));
    fleet.clock.advance(5000);
    expect([fleet.free, fleet.client.snapshot().available.size]).toEqual([['1'], 2]);
  });

  it('a new threshold takes effect at once, and null turns a check off', async () => {
    const fleet = await new MonitoredClient().started(1);
    fleet.load(1, 80);
    fleet.monitor.activeDecodeBlocksThreshold = 0.75;
    expect(fleet.free).toEqual([]);
    fleet.monitor.activeDecodeBlocksThreshold = null;
    expect(fleet.free).toEqual(['1']);
    fleet.monitor.stopMonitoring();
    await fleet.started(1);
    expect(fleet.monitor.snapshot()?.thresholds.isConfigured()).toBe(false);
  });

  it('reports instance problems of its clients', async () => {
    const fleet = await new MonitoredClient().started(1);
    const failing$ = new Subject<InstanceChange>();
    fleet.monitor.setPrefillClient(fleet.newClient('default', failing$));
    failing$.error(new Error('gone'));
    expect(fleet.problems.splice(0)).toEqual(['source-error instances']);
    fleet.feed.instances$.error(new Error('gone'));
    expect(fleet.problems).toEqual(['source-error instances', 'source-stale instances']);
  });

  it('explains why a worker is busy', async () => {
    const fleet = await new MonitoredClient().started(1);
    const texts: string[] = [];
    fleet.monitor.transitions$.subscribe(({ verdict }) => texts.push(verdict.text));
    fleet.load(1, 91);
    expect(texts).toHaveLength(1);
    expect(fleet.monitor.explain(id(1))?.busy).toBe(true);
    expect(fleet.monitor.explain(id(9))).toBeUndefined();
  });
});

describe('a null threshold', () => {
  it('1.6: has no effect, now or at the next start', async () => {
    const fleet = await new MonitoredClient('dynamo-1.6').started(1);
    fleet.monitor.activeDecodeBlocksThreshold = null;
    fleet.monitor.stopMonitoring();
    await fleet.started(1);
    expect(fleet.monitor.snapshot()?.thresholds.activeDecodeBlocksThreshold).toBe(0.9);
  });
});

describe('a prefill client', () => {
  it.each<Release>(['dynamo-1.4', 'default'])(
    '%s: is notified from the moment it is attached',
    async (release) => {
      const fleet = await new MonitoredClient(release).started(1, 2);
      fleet.load(1, 91);
      const prefill = fleet.newClient(release, concat(of(ids(1, 5)), NEVER));
      fleet.monitor.setPrefillClient(prefill);
      expect([...prefill.snapshot().overloaded]).toEqual(['1']);
      fleet.load(2, 91);
      expect([...prefill.snapshot().overloaded]).toEqual(['1', '2']);
    },
  );

  it('1.6: is not notified, because it has its own monitor', async () => {
    const fleet = await new MonitoredClient('dynamo-1.6').started(1);
    const prefill = fleet.newClient('dynamo-1.6', concat(of(ids(1)), NEVER));
    fleet.monitor.setPrefillClient(prefill);
    fleet.load(1, 91);
    expect([...prefill.snapshot().overloaded]).toEqual([]);
  });

  it('set before the start, is used from the start, and at the next one', async () => {
    const fleet = new MonitoredClient('default');
    fleet.monitor.setPrefillClient(concat(of(ids(5)), NEVER));
    await fleet.started(1);
    expect(fleet.monitor.snapshot()?.fleet.instances).toBe(2);
    fleet.monitor.stopMonitoring();
    await fleet.started(1);
    expect(fleet.monitor.snapshot()?.fleet.instances).toBe(2);
  });

  it('1.0: emits a cleanup for a prefill worker that left', async () => {
    const fleet = await new MonitoredClient('dynamo-1.0').started(1);
    const prefill$ = new Subject<InstanceChange>();
    const cleanups: unknown[] = [];
    fleet.monitor.cleanups$.subscribe((cleanup) => cleanups.push(cleanup));
    fleet.monitor.setPrefillClient(prefill$);
    prefill$.next(ids(5, 6));
    prefill$.next(ids(5));
    expect(cleanups).toEqual([expect.objectContaining({ workerId: '6', workerType: 'prefill' })]);
  });

  it('reports which of its workers are down and available again', async () => {
    const fleet = await new MonitoredClient('default').started(1);
    const prefill$ = new Subject<InstanceChange>();
    const prefill = fleet.newClient('default', prefill$);
    fleet.monitor.setPrefillClient(prefill);
    prefill$.next(ids(5));
    prefill.reportDown(id(5));
    expect(fleet.monitor.snapshot()?.fleet).toMatchObject({ instances: 2, down: 1 });
    fleet.clock.advance(5000);
    expect(fleet.monitor.snapshot()?.fleet).toMatchObject({ instances: 2, down: 0 });
    fleet.feed.configs$.next(configsOf(1, 5));
    prefill.markOverloaded(id(5));
    expect([...(fleet.monitor.snapshot()?.busy ?? [])]).toEqual(['5']);
    expect([...prefill.snapshot().free]).toEqual([]);
    prefill$.next([]);
    expect(fleet.monitor.snapshot()?.fleet.instances).toBe(1);
  });
});

describe('other sources and options of a loadMonitor', () => {
  it('passes on events, status, and the role of the endpoint', async () => {
    const events$ = new Subject<FleetEvent>();
    const status$ = of<SourceStatus>({ source: 'nats', state: 'live', since: 0 });
    const decodeInstances = new Subject<InstanceChange>();
    const monitor = new KvWorkerMonitor(
      { events: events$, status: [status$], decodeInstances },
      {},
      { policy: policies['dynamo-1.6'], role: 'prefill', scheduler: new ManualClock() },
    );
    const cleanups: unknown[] = [];
    monitor.cleanups$.subscribe((cleanup) => cleanups.push(cleanup));
    await monitor.startMonitoring();
    decodeInstances.next(ids(1));
    events$.next({ kind: 'marked', workerId: id(1) });
    expect([...(monitor.snapshot()?.busy ?? [])]).toEqual(['1']);
    expect(monitor.snapshot()?.status).toMatchObject([{ source: 'nats', state: 'live' }]);
    decodeInstances.next([]);
    expect(cleanups).toEqual([expect.objectContaining({ workerId: '1', workerType: 'prefill' })]);
    monitor.stopMonitoring();
  });
});
