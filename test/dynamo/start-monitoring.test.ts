import { NEVER, of, Subject, throwError, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import type { ConfigChange } from '../../src/core/pipeline/monitor-sources.js';
import { ConfigsUnavailableError } from '../../src/dynamo/kv-monitor-options.js';
import { KvWorkerMonitor } from '../../src/dynamo/kv-worker-monitor.js';
import { MonitoredClient } from './monitored-client.js';
import { loadWithBlocks, configsOf, ids, collect } from './virtual-fleet.js';

describe('startMonitoring', () => {
  const rejected = (): Promise<Observable<ConfigChange>> => Promise.reject(new Error('no etcd'));

  it.each([
    [
      'throws',
      () => {
        throw new Error('no etcd');
      },
    ],
    ['rejects', rejected],
    ['returns a stream that errors', () => throwError(() => new Error('no etcd'))],
  ])('rejects each time the configs function %s', async (_, failing) => {
    let calls = 0;
    const configs = () => {
      calls += 1;
      return calls < 3 ? failing() : of(configsOf(1));
    };
    const fleet = new MonitoredClient('default', { activeDecodeBlocksThreshold: 0.9 }, { configs });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const error: unknown = await fleet.monitor.startMonitoring().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(ConfigsUnavailableError);
      expect(error).toMatchObject({ code: 'configs-unavailable', cause: { message: 'no etcd' } });
      expect(fleet.monitor.snapshot()).toBeUndefined();
    }
    await fleet.monitor.startMonitoring();
    expect([fleet.problems, fleet.monitor.snapshot() === undefined]).toEqual([
      ['source-error configs', 'source-error configs', 'source-stale configs'],
      false,
    ]);
  });

  it('calls the configs function once, regardless of further calls meanwhile', async () => {
    let calls = 0;
    const configs = () => {
      calls += 1;
      return Promise.resolve(new Subject<ConfigChange>());
    };
    const { monitor } = new MonitoredClient('default', {}, { configs });
    await Promise.all([monitor.startMonitoring(), monitor.clone().startMonitoring()]);
    expect([calls, monitor.snapshot() === undefined]).toEqual([1, false]);
  });

  it('does not start if it is stopped while it waits for configs, and can be started again', async () => {
    let answer: (configs$: Observable<ConfigChange>) => void = () => undefined;
    const configs = () => new Promise<Observable<ConfigChange>>((resolve) => (answer = resolve));
    const { monitor } = new MonitoredClient('default', {}, { configs });
    const first = monitor.startMonitoring();
    await Promise.resolve();
    monitor.stopMonitoring();
    answer(NEVER);
    await first;
    expect(monitor.snapshot()).toBeUndefined();
    const second = monitor.startMonitoring();
    await Promise.resolve();
    answer(NEVER);
    await second;
    expect(monitor.snapshot()).toBeDefined();
  });

  it('does not fail if it is stopped while it waits for configs', async () => {
    let refuse: (error: Error) => void = () => undefined;
    const configs = () => new Promise<Observable<ConfigChange>>((_, reject) => (refuse = reject));
    const { monitor, problems } = new MonitoredClient('default', {}, { configs });
    const start = monitor.startMonitoring();
    await Promise.resolve();
    monitor.stopMonitoring();
    refuse(new Error('no etcd'));
    await expect(start).resolves.toBeUndefined();
    expect(problems).toEqual([]);
  });

  it('runs after start, stop and start in one turn', async () => {
    const fleet = new MonitoredClient();
    const first = fleet.monitor.startMonitoring();
    fleet.monitor.stopMonitoring();
    const second = fleet.monitor.startMonitoring();
    await Promise.all([first, second]);
    expect(fleet.monitor.snapshot()).toBeDefined();
  });

  it('configs that error before their first value end the run, which can be repeated', async () => {
    let configs$ = new Subject<ConfigChange>();
    const configs = new Observable<ConfigChange>((subscriber) => configs$.subscribe(subscriber));
    const fleet = new MonitoredClient('default', {}, { configs });
    const running: boolean[] = [];
    fleet.monitor.running$.subscribe((value) => running.push(value));
    await fleet.monitor.startMonitoring();
    configs$.error(new Error('no etcd'));
    expect([fleet.problems, running]).toEqual([['source-error configs'], [false, true, false]]);
    configs$ = new Subject();
    await fleet.monitor.startMonitoring();
    configs$.next(configsOf(1));
    configs$.error(new Error('gone'));
    expect(running).toEqual([false, true, false, true]);
    expect(fleet.problems.slice(1)).toEqual(['source-error configs', 'source-stale configs']);
  });

  it('works without a client, with its own instances', async () => {
    const loads$ = new Subject<ActiveLoad>();
    const monitor = new KvWorkerMonitor(
      { loads: loads$, configs: of(configsOf(1, 2)), decodeInstances: of(ids(1)) },
      { activeDecodeBlocksThreshold: 0.9 },
    );
    const busy = collect(monitor.busy$);
    await monitor.startMonitoring();
    loads$.next(loadWithBlocks(1, 91));
    loads$.next(loadWithBlocks(2, 91));
    monitor.stopMonitoring();
    expect(busy).toEqual([[], ['1']]);
  });
});
