import {
  concat,
  EMPTY,
  NEVER,
  take,
  Observable,
  of,
  Subject,
  switchMap,
  throwError,
  VirtualTimeScheduler,
  type Subscription,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { ActiveLoad, FleetEvent } from '../../../src/core/events/fleet-event.js';
import { LoadBatch, type LoadColumns, WorkerTable } from '../../../src/core/events/load-batch.js';
import { loadMonitor, type LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import type {
  ConfigChange,
  InstanceChange,
  MonitorSources,
} from '../../../src/core/pipeline/monitor-sources.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { id } from '../../support/fleet.js';
import { type Row, loadColumns } from '../../support/load-columns.js';

const silent = { activeDecodeBlocks: null, kvUsedBlocks: null };
const tokens = (worker: number, activePrefillTokens: number): ActiveLoad => ({
  ...silent,
  workerId: id(worker),
  dpRank: 0,
  activePrefillTokens,
});
const options = { policy: policies.default, thresholds: { activePrefillTokensThreshold: 10 } };

/** Everything that leaves a monitor, in order, as words. */
function listen(monitor: LoadMonitor): string[] {
  const words: string[] = [];
  const note = (name: string, text: (value: never) => string = () => '') => ({
    next: (value: unknown) => void words.push(`${name}${text(value as never)}`),
    error: () => void words.push(`${name} error`),
    complete: () => void words.push(`${name} end`),
  });
  // In another order than that of the law, which must not matter.
  monitor.problems$.subscribe(note('problem ', ({ code }: { code: string }) => code));
  monitor.cleanups$.subscribe(note('cleanup ', ({ workerId }: { workerId: string }) => workerId));
  monitor.fleet$.subscribe(note('fleet'));
  monitor.transitions$.subscribe(
    note(
      'transition ',
      ({ workerId, busy }: { workerId: string; busy: boolean }) => `${workerId} ${busy ? 'up' : 'down'}`,
    ),
  );
  monitor.busy$.subscribe(note('busy ', (busy: Iterable<string>) => [...busy].join(',')));
  monitor.steps$.subscribe(note('step'));
  return words;
}

describe('monitor - law 1, order', () => {
  it('for one event steps, busy, transitions, fleet, cleanups, problems, in any order of subscription', () => {
    const instances$ = new Subject<InstanceChange>();
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ decodeInstances: instances$, loads }, options);
    const words = listen(monitor);
    monitor.connect();
    instances$.next([id(1)]);
    loads.next(tokens(1, 11));
    words.length = 0;
    instances$.next([]);
    expect(words).toEqual(['step', 'busy ', 'transition 1 down', 'fleet', 'cleanup 1']);
  });

  it('an event that a subscriber causes waits for all outputs of the current one', () => {
    const thresholds = new Subject<LoadThresholdUpdate>();
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ thresholds, loads }, options);
    monitor.busy$.subscribe((busy) => {
      if (busy.size === 1) thresholds.next({ activePrefillTokensThreshold: 20 });
    });
    const words = listen(monitor);
    monitor.connect();
    words.length = 0;
    loads.next(tokens(1, 11));
    expect(words.filter((word) => word !== 'fleet')).toEqual([
      'step',
      'busy 1',
      'transition 1 up',
      'step',
      'busy ',
      'transition 1 down',
    ]);
  });

  it('100 000 caused events do not overflow the stack', () => {
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads }, options);
    let left = 100_000;
    monitor.transitions$.subscribe(({ busy }) => {
      if (left-- > 0) loads.next(tokens(1, busy ? 0 : 11));
    });
    monitor.connect();
    loads.next(tokens(1, 11));
    expect(left).toBeLessThan(0);
  });

  it.each([
    ['stop()', (monitor: LoadMonitor) => monitor.stop()],
    ['unsubscribing the run', (monitor: LoadMonitor) => monitor.connect().unsubscribe()],
  ])('%s by a subscriber - ends the run after all outputs of the step', (_, end) => {
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads }, options);
    monitor.steps$.subscribe(({ transitions }) => {
      if (transitions.length > 0) end(monitor);
    });
    const words = listen(monitor);
    monitor.connect();
    words.length = 0;
    loads.next(tokens(1, 11));
    expect(words.slice(0, 4)).toEqual(['step', 'busy 1', 'transition 1 up', 'fleet']);
    expect(words.slice(4).every((word) => word.endsWith(' end'))).toBe(true);
    expect(monitor.snapshot()).toBeUndefined();
  });

  it('a stop by a subscriber - the cleanups of the policy are still emitted', () => {
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor(
      { loads, decodeInstances: concat(of<InstanceChange>([id(1)]), NEVER) },
      { ...options, policy: policies['dynamo-1.6'] },
    );
    monitor.transitions$.subscribe(() => monitor.stop());
    const words = listen(monitor);
    monitor.connect();
    loads.next(tokens(1, 11));
    expect(words).toContain('cleanup 1');
  });

  it('sinks attached before connect see the first event of a synchronous source', () => {
    const monitor = loadMonitor({ loads: of(tokens(1, 11)) }, options);
    const words = listen(monitor);
    monitor.connect();
    expect(words).toContain('transition 1 up');
  });
});

describe('monitor - law 2, distinct', () => {
  it('busy$ emits only when the set of ids differs', () => {
    const loads = new Subject<ActiveLoad>();
    const thresholds = new Subject<LoadThresholdUpdate>();
    const monitor = loadMonitor({ loads, thresholds }, options);
    const sets: string[] = [];
    let steps = 0;
    monitor.busy$.subscribe((busy) => sets.push([...busy].join()));
    monitor.steps$.subscribe(() => (steps += 1));
    monitor.connect();
    for (const value of [11, 12, 13]) loads.next(tokens(1, value));
    thresholds.next({ activePrefillTokensThreshold: 9 });
    for (const value of [1, 2, 11]) loads.next(tokens(1, value));
    expect(sets).toEqual(['', '1', '', '1']);
    expect(steps).toBeGreaterThan(sets.length - 1);
  });
});

describe('monitor - law 3, nothing ends the graph by accident', () => {
  const failing: [keyof MonitorSources, Partial<MonitorSources>, string[]][] = [
    ['loads', { loads: throwError(() => new Error('boom')) }, ['source-error', 'source-stale']],
    ['configs', { configs: throwError(() => new Error('boom')) }, ['source-error', 'source-stale']],
    [
      'decodeInstances',
      { decodeInstances: throwError(() => new Error('boom')) },
      ['source-error', 'source-stale'],
    ],
    ['prefillInstances', { prefillInstances: throwError(() => new Error('boom')) }, ['source-error']],
    ['thresholds', { thresholds: throwError(() => new Error('boom')) }, ['source-error']],
    ['events', { events: throwError(() => new Error('boom')) }, ['source-error']],
  ];
  it.each(failing)(
    '%s errors, synchronously - a problem with the reason, and the others go on',
    (_, source, codes) => {
      const events = new Subject<FleetEvent>();
      const monitor = loadMonitor(
        {
          ...source,
          status: [NEVER],
          ...(!('events' in source) && { events }),
          ...('loads' in source ? {} : { loads: concat(of(tokens(1, 11)), NEVER) }),
        },
        options,
      );
      const problems: string[] = [];
      const texts: string[] = [];
      monitor.problems$.subscribe(({ code, text }) => {
        problems.push(code);
        texts.push(text);
      });
      const subscription = monitor.connect();
      expect(problems).toEqual(codes);
      expect(texts[0]).toContain('boom');
      expect(subscription.closed).toBe(false);
      monitor.stop();
    },
  );

  const ending: [string, Partial<MonitorSources>, string[]][] = [
    ['loads', { loads: EMPTY }, ['source-stale']],
    ['configs', { configs: EMPTY }, ['source-stale']],
    ['decodeInstances', { decodeInstances: EMPTY }, ['source-stale']],
    ['prefillInstances', { prefillInstances: EMPTY }, []],
    ['thresholds', { thresholds: EMPTY }, []],
    ['events', { events: EMPTY }, []],
  ];
  it.each(ending)(
    '%s ends - with the effect that the policy gives it, and the others continue',
    (name, source, codes) => {
      const monitor = loadMonitor(
        { ...source, ...(name === 'events' ? { loads: NEVER } : { events: NEVER }) },
        options,
      );
      const problems: string[] = [];
      monitor.problems$.subscribe(({ code }) => problems.push(code));
      const statuses: (readonly SourceStatus[])[] = [];
      monitor.status$.subscribe((status) => statuses.push(status));
      expect(monitor.connect().closed).toBe(false);
      expect(problems).toEqual(codes);
      expect(statuses.at(-1)).toMatchObject(codes.length === 0 ? [] : [{ source: name, state: 'ended' }]);
      monitor.stop();
    },
  );

  it('an inner prefill watch errors - a problem, and the next one attaches', () => {
    const watches$ = new Subject<Observable<InstanceChange>>();
    const configs = of<ConfigChange>(new Map([[id(9), {}]]));
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor(
      { prefillInstances: watches$, configs: concat(configs, NEVER), loads, decodeInstances: NEVER },
      options,
    );
    const words = listen(monitor);
    monitor.connect();
    watches$.next(
      concat(
        of<InstanceChange>([id(9)]),
        throwError(() => new Error('gone')),
      ),
    );
    expect(words).toContain('problem source-error');
    loads.next(tokens(9, 11));
    expect(words).toContain('transition 9 up');
    watches$.next(concat(of<InstanceChange>([]), NEVER));
    expect(words).toContain('cleanup 9');
    monitor.stop();
  });

  it('the outer prefill stream errors - its watches continue', () => {
    const outer$ = new Subject<Observable<InstanceChange>>();
    const watch$ = new Subject<InstanceChange>();
    const monitor = loadMonitor({ prefillInstances: outer$, events: NEVER }, options);
    const words = listen(monitor);
    monitor.connect();
    outer$.next(watch$);
    watch$.next([id(1)]);
    outer$.error(new Error('gone'));
    watch$.next([id(1), id(2)]);
    expect(monitor.snapshot()?.fleet.instances).toBe(2);
    expect(words).toContain('problem source-error');
  });

  it('a subscriber that throws - its error is reported elsewhere, and the other subscribers receive everything', () => {
    vi.useFakeTimers();
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads }, options);
    monitor.steps$.subscribe(() => {
      throw new Error('mine');
    });
    const words = listen(monitor);
    monitor.connect();
    loads.next(tokens(1, 11));
    expect(words).toContain('transition 1 up');
    expect(() => vi.runAllTimers()).toThrow('mine');
    vi.useRealTimers();
  });

  it('refused thresholds - are problems and change nothing', () => {
    const thresholds = of<LoadThresholdUpdate>({
      activeDecodeBlocksThreshold: 2,
      activePrefillTokensThresholdFrac: -1,
    });
    const monitor = loadMonitor({ thresholds: concat(thresholds, NEVER) }, options);
    const words = listen(monitor);
    monitor.connect();
    expect(words.filter((word) => word.startsWith('problem'))).toEqual([
      'problem threshold-out-of-range',
      'problem threshold-out-of-range',
    ]);
    expect(monitor.snapshot()?.thresholds).toMatchObject({
      activeDecodeBlocksThreshold: null,
      activePrefillTokensThreshold: 10,
    });
  });

  it('outputs complete - when every source has, and when the end of a source ends the monitor under its policy', () => {
    const all = loadMonitor({ loads: of(tokens(1, 11)), thresholds: EMPTY }, options);
    const words = listen(all);
    all.connect();
    expect(words.filter((word) => word.endsWith(' end'))).toHaveLength(6);

    const loads = new Subject<ActiveLoad>();
    const old = loadMonitor({ loads, events: NEVER }, { policy: policies['dynamo-1.0'] });
    const oldWords = listen(old);
    old.connect();
    loads.complete();
    expect(oldWords.filter((word) => word.endsWith(' end'))).toHaveLength(6);
    expect(old.snapshot()).toBeUndefined();
  });
});

describe('monitor - lifecycle', () => {
  it('building connects nothing; connect is idempotent; all outputs share one run', () => {
    let subscribed = 0;
    const loads = new Observable<ActiveLoad>(() => void (subscribed += 1));
    const monitor = loadMonitor({ loads }, options);
    listen(monitor);
    listen(monitor);
    expect(subscribed).toBe(0);
    expect(monitor.connect()).toBe(monitor.connect());
    expect(subscribed).toBe(1);
  });

  const enders: [string, (monitor: LoadMonitor, run: Subscription, abort: () => void) => void][] = [
    ['stop()', (monitor) => monitor.stop()],
    ['Symbol.dispose', (monitor) => monitor[Symbol.dispose]()],
    ['unsubscribing the run', (_, run) => run.unsubscribe()],
    ['abort', (_, __, abort) => abort()],
  ];
  it.each(enders)(
    '%s - ends it: sources are left, outputs complete, and it can be connected again, from empty',
    (_, end) => {
      const controller = new AbortController();
      const loads = new Subject<ActiveLoad>();
      const monitor = loadMonitor({ loads }, { ...options, signal: controller.signal });
      const words = listen(monitor);
      const run = monitor.connect();
      loads.next(tokens(1, 11));
      expect(monitor.snapshot()?.busy.size).toBe(1);
      end(monitor, run, () => controller.abort());
      expect(words.filter((word) => word.endsWith(' end'))).toHaveLength(6);
      expect([loads.observed, run.closed, monitor.snapshot(), monitor.explain(id(1))]).toEqual([
        false,
        true,
        undefined,
        undefined,
      ]);
      monitor.stop();
      if (controller.signal.aborted) return;
      const again = listen(monitor);
      monitor.connect();
      expect(monitor.snapshot()?.busy.size).toBe(0);
      loads.next(tokens(2, 11));
      expect(again).toContain('busy 2');
      monitor.stop();
    },
  );

  it('an aborted signal - nothing runs', () => {
    const monitor = loadMonitor({ loads: NEVER }, { ...options, signal: AbortSignal.abort() });
    expect(monitor.connect().closed).toBe(true);
    expect(monitor.snapshot()).toBeUndefined();
  });

  it('a subscriber that connects again when the outputs complete starts a new run', () => {
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads }, options);
    let runs = 0;
    const watch = (): void => {
      monitor.steps$.subscribe({
        complete: () => {
          if (runs++ < 3) {
            watch();
            monitor.connect();
          }
        },
      });
    };
    watch();
    monitor.connect();
    monitor.stop();
    expect([runs, monitor.snapshot() !== undefined]).toEqual([1, true]);
    monitor.stop();
    expect(runs).toBe(2);
  });

  it('late subscribers - receive the current busy set, counts and statuses first, and only later values of the others', () => {
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor(
      { loads, status: [concat(of<SourceStatus>({ source: 'nats', state: 'live', since: 0 }), NEVER)] },
      options,
    );
    monitor.connect();
    loads.next(tokens(1, 11));
    const words = listen(monitor);
    const statuses: unknown[] = [];
    monitor.status$.subscribe((status) => statuses.push(status));
    expect(words).toEqual(['fleet', 'busy 1']);
    expect(statuses).toMatchObject([[{ source: 'nats', state: 'live' }]]);
    expect(monitor.snapshot()?.status).toHaveLength(1);
  });

  it('a subscriber that joins within a step - receives its busy set once, and the events that it causes then are not missed', () => {
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads }, options);
    const joined: string[] = [];
    monitor.steps$
      .pipe(
        take(1),
        switchMap(() => monitor.busy$),
      )
      .subscribe((busy) => joined.push([...busy].join()));
    monitor.connect();
    loads.next(tokens(1, 11));
    expect(joined).toEqual(['', '1']);
    const caused: string[] = [];
    monitor.busy$.subscribe((busy) => {
      caused.push([...busy].join());
      if (caused.length === 1) loads.next(tokens(2, 11));
    });
    expect(caused).toEqual(['1', '1,2']);
  });

  it('a source whose end ends the monitor - its status is emitted first', () => {
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads, events: NEVER }, { policy: policies['dynamo-1.0'] });
    const statuses: string[] = [];
    monitor.status$.subscribe((all) =>
      statuses.push(all.map(({ source, state }) => `${source} ${state}`).join()),
    );
    monitor.connect();
    loads.complete();
    expect(statuses).toEqual(['', 'loads ended']);
  });

  it('10 000 rounds of connect and stop - leave no observer, no listener, no timer', () => {
    const scheduler = new VirtualTimeScheduler();
    const loads = new Subject<ActiveLoad>();
    const events = new Subject<FleetEvent>();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    const monitor = loadMonitor({ loads, events }, { ...options, scheduler, signal });
    for (let round = 0; round < 10_000; round += 1) {
      monitor.connect();
      events.next({ kind: 'marked', workerId: id(1) });
      monitor.stop();
    }
    expect([
      loads.observed,
      events.observed,
      scheduler.actions.filter((action) => !action.closed).length,
    ]).toEqual([false, false, 0]);
    expect(added.mock.calls.length).toBe(removed.mock.calls.length);
  });
});

describe('monitor - time', () => {
  it('an overload mark ends by the monitor’s timer, one second after it was last set', () => {
    const scheduler = new VirtualTimeScheduler();
    const events = new Subject<FleetEvent>();
    const monitor = loadMonitor({ events }, { ...options, scheduler });
    const changes: string[] = [];
    monitor.transitions$.subscribe(({ at, busy, verdict }) =>
      changes.push(`${at} ${busy ? 'up' : 'down'} ${verdict.reason}`),
    );
    monitor.connect();
    events.next({ kind: 'marked', workerId: id(1) });
    scheduler.schedule(() => events.next({ kind: 'marked', workerId: id(1) }), 400);
    scheduler.flush();
    expect(changes).toEqual(['0 up overload-mark', '1400 down overload-mark-ended']);
  });

  it('under 1.4 an overload mark has no time limit', () => {
    const scheduler = new VirtualTimeScheduler();
    const monitor = loadMonitor(
      { events: concat(of<FleetEvent>({ kind: 'marked', workerId: id(1) }), NEVER) },
      { policy: policies['dynamo-1.4'], scheduler },
    );
    monitor.connect();
    scheduler.flush();
    expect(monitor.snapshot()?.busy.size).toBe(1);
  });
});

describe('monitor - batches', () => {
  const table = new WorkerTable();
  const columnsOf = (...rows: [worker: number, tokens: number][]): LoadColumns =>
    loadColumns(table, ...rows.map(([worker, value]): Row => [worker, 0, value]));

  it('have the same result as the same loads one by one', () => {
    const loads = new Subject<ActiveLoad | LoadBatch>();
    const batched = loadMonitor({ loads }, options);
    const single = loadMonitor({ loads: of(tokens(1, 11), tokens(2, 11), tokens(1, 3)) }, options);
    const [a, b] = [listen(batched), listen(single)];
    batched.connect();
    single.connect();
    loads.next(new LoadBatch(columnsOf([1, 11], [2, 11], [1, 3])));
    expect(a).toEqual(
      b.filter((word) => !word.endsWith(' end') && !word.startsWith('problem')).slice(0, a.length),
    );
    expect(a.at(-2)).toBe('transition 1 down');
  });

  it('one that a subscriber causes is copied before it waits, since its columns are reused', () => {
    const loads = new Subject<ActiveLoad | LoadBatch>();
    const monitor = loadMonitor({ loads }, options);
    const reused = columnsOf([2, 11]);
    monitor.transitions$.subscribe(({ workerId }) => {
      if (workerId !== '1') return;
      const batch = new LoadBatch(reused);
      loads.next(batch);
      batch.expire();
      reused.activePrefillTokens[0] = 0;
    });
    monitor.connect();
    loads.next(new LoadBatch(columnsOf([1, 11])));
    expect([...(monitor.snapshot()?.busy ?? [])]).toEqual(['1', '2']);
  });
});

describe('monitor - explain', () => {
  it('has for each rank and check the value, the limit, the margin, and the reason why a check was not made', () => {
    const configs = of<ConfigChange>(new Map([[id(1), { totalKvBlocks: 100, dataParallelSize: 2 }]]));
    const loads = of<ActiveLoad>({
      workerId: id(1),
      dpRank: 0,
      activeDecodeBlocks: null,
      activePrefillTokens: 3,
      kvUsedBlocks: 90,
    });
    const monitor = loadMonitor(
      { configs: concat(configs, NEVER), loads: concat(loads, NEVER) },
      {
        policy: policies.default,
        thresholds: { activeDecodeBlocksThreshold: 0.85, activePrefillTokensThreshold: 10 },
      },
    );
    monitor.connect();
    const why = monitor.explain(id(1));
    expect(why).toMatchObject({
      busy: false,
      state: 'unknown',
      unknownReason: 'not-heard',
      known: true,
      overloadMarked: false,
      since: null,
      judgedRanks: 2,
      busyRanks: 1,
      neededRanks: 2,
      silentRanks: 1,
    });
    expect(why?.ranks[0]?.checks).toEqual([
      { check: 'activePrefillTokens', standing: 'within', value: 3, limit: 10, margin: 7 },
      { check: 'activePrefillTokensFrac', standing: 'no threshold set', value: 3, limit: null, margin: null },
      { check: 'kvUsedBlocks', standing: 'above', value: 90, limit: 85, margin: -5 },
      { check: 'activeDecodeBlocks', standing: 'no data', value: null, limit: null, margin: null },
    ]);
    expect(why?.text).toBe(
      [
        'worker 1 is unknown: 1 of 2 ranks busy, 2 needed',
        '1 declared rank is silent and counts as unknown',
        'rank 0 activePrefillTokens: 3 within 10, margin 7',
        'rank 0 activePrefillTokensFrac: no threshold set, value 3',
        'rank 0 kvUsedBlocks: 90 above 85, margin -5',
        'rank 0 activeDecodeBlocks: no data',
      ].join('\n'),
    );
    expect(monitor.explain(id(2))).toBeUndefined();
    monitor.stop();
  });
});

describe('monitor - what cannot be intended', () => {
  it.each([
    [
      'an option under its old name',
      {},
      { start: { thresholds: {} } },
      'start is not an option of loadMonitor',
    ],
    [
      'a role that does not exist',
      {},
      { role: 'encode' },
      'role must be "aggregated" or "decode" or "prefill"',
    ],
    ['a source that is no Observable', { loads: [] }, {}, 'loads must be an Observable, not a list'],
    ['a status that is no list', { status: NEVER }, {}, 'status must be a list of Observables'],
    ['no sources', undefined, {}, 'loadMonitor needs an object'],
    ['thresholds as text', {}, { thresholds: { activeDecodeBlocksThreshold: '0.5' } }, 'must be a number'],
    ['a misspelt threshold', {}, { thresholds: { activeDecodeBlockThreshold: 0.5 } }, 'the nearest name is'],
  ])('%s is refused when it is built', (_, sources, given, message) => {
    expect(() => loadMonitor(sources as never, given as never)).toThrow(message);
  });

  it('other members of the object with the sources are ignored, and options may be absent', () => {
    const sources = { loads: NEVER, accounting$: NEVER };
    expect(loadMonitor(sources).snapshot()).toBeUndefined();
  });
});

describe('monitor - status', () => {
  it('keeps the order of the sources, whichever reports first', () => {
    const [first$, second$] = [new Subject<SourceStatus>(), new Subject<SourceStatus>()];
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads, events: NEVER, status: [first$, second$] }, options);
    const orders: string[] = [];
    monitor.status$.subscribe((all) => orders.push(all.map(({ source }) => source).join()));
    monitor.connect();
    second$.next({ source: 'etcd', state: 'live', since: 0 });
    loads.complete();
    first$.next({ source: 'nats', state: 'live', since: 0 });
    second$.next({ source: 'etcd', state: 'down', since: 0 });
    expect(orders).toEqual(['', 'etcd', 'etcd,loads', 'nats,etcd,loads', 'nats,etcd,loads']);
    monitor.stop();
  });

  it('an event that a subscriber of status$ causes waits until the outputs of the event before it have emitted', () => {
    const status$ = new Subject<SourceStatus>();
    const loads = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads, status: [status$] }, options);
    const seen: unknown[] = [];
    monitor.status$.subscribe((all) => {
      if (all.length === 0) return;
      loads.next(tokens(1, 11));
      loads.next(tokens(1, 3));
    });
    monitor.transitions$.subscribe(({ busy }) => seen.push(busy, monitor.explain(id(1))?.busy));
    monitor.connect();
    status$.next({ source: 'nats', state: 'live', since: 0 });
    expect(seen).toEqual([true, true, false, false]);
    monitor.stop();
  });
});
