import {
  asyncScheduler,
  BehaviorSubject,
  combineLatest,
  first,
  map,
  NEVER,
  Observable,
  of,
  Subject,
  throwError,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { InstanceChange } from '../../src/core/pipeline/monitor-sources.js';
import type { Problem } from '../../src/core/sources/problem.js';
import type { WorkerId } from '../../src/core/worker-id.js';
import { type ClientPolicy, clientPolicies } from '../../src/dynamo/client-policy.js';
import { InhibitedDurationError } from '../../src/dynamo/inhibited-duration.js';
import {
  type InstanceClient,
  type InstanceClientOptions,
  instanceClient,
} from '../../src/dynamo/instance-client.js';
import { id } from '../support/fleet.js';
import { ManualClock, ids, collect } from './virtual-fleet.js';

interface Bench {
  readonly clock: ManualClock;
  readonly instances$: Subject<InstanceChange>;
  readonly client: InstanceClient;
}

/** A connected client on a clock that the test advances. */
function bench(policy: ClientPolicy, options: InstanceClientOptions = {}): Bench {
  const clock = new ManualClock();
  const instances$ = new Subject<InstanceChange>();
  const client = instanceClient(instances$, { policy, scheduler: clock, ...options });
  client.connect();
  return { clock, instances$, client };
}

/** The sets, each as an array. */
function sets(client: InstanceClient): Record<'discovered' | 'available' | 'overloaded' | 'free', string[]> {
  const { discovered, available, overloaded, free } = client.snapshot();
  return {
    discovered: [...discovered],
    available: [...available],
    overloaded: [...overloaded],
    free: [...free],
  };
}

const every = Object.values(clientPolicies);
const remembering = [clientPolicies['dynamo-1.4'], clientPolicies['dynamo-1.6'], clientPolicies.default];
const forgetting = [clientPolicies['dynamo-0.8'], clientPolicies['dynamo-1.0'], clientPolicies['dynamo-1.1']];
const leasing = [clientPolicies['dynamo-1.6'], clientPolicies.default];

describe.each(every)('every release: $name', (policy) => {
  it('a worker reported down is not available until the next reconcile', () => {
    const { clock, instances$, client } = bench(policy, { inhibitedDurationMs: 100 });
    const available = collect(client.available$);
    instances$.next(ids(1, 2, 3));
    client.reportDown(id(2));
    clock.advance(99);
    expect(sets(client).available).toEqual(['1', '3']);
    clock.advance(1);
    expect(available).toEqual([[], ['1', '2', '3'], ['1', '3'], ['1', '2', '3']]);
  });

  it('reconciles periodically, after a full interval without a change', () => {
    const { clock, instances$, client } = bench(policy, { inhibitedDurationMs: 100 });
    instances$.next(ids(1, 2));
    clock.advance(60);
    instances$.next(ids(1, 2, 3));
    client.reportDown(id(1));
    clock.advance(99);
    expect(sets(client).available).toEqual(['2', '3']);
    clock.advance(1);
    client.reportDown(id(1));
    expect(sets(client).available).toEqual(['2', '3']);
    clock.advance(100);
    expect(sets(client).available).toEqual(['1', '2', '3']);
  });

  it('any change of the instances makes workers that were down available again', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    client.reportDown(id(1));
    instances$.next({ workerId: id(3), present: true });
    expect(sets(client).available).toEqual(['1', '2', '3']);
  });

  it('an interval of 0 turns off down reports and the periodic reconcile', () => {
    const { clock, instances$, client } = bench(policy, { inhibitedDurationMs: 0 });
    instances$.next(ids(1, 2, 3));
    client.reportDown(id(2));
    expect(sets(client).available).toEqual(['1', '2', '3']);
    client.setOverloaded(ids(1));
    clock.advance(60_000);
    expect(sets(client).free).toEqual(['2', '3']);
  });

  it('accepts snapshots and single changes of instances, in any order', () => {
    const { instances$, client } = bench(policy);
    const discovered = collect(client.discovered$);
    instances$.next(ids(10, 9));
    instances$.next(new Set(ids(9, 10)));
    instances$.next({ workerId: id(1), present: true });
    instances$.next({ workerId: id(1), present: true });
    instances$.next({ workerId: id(9), present: false });
    instances$.next({ workerId: id(8), present: false });
    expect(discovered).toEqual([[], ['9', '10'], ['1', '9', '10'], ['1', '10']]);
  });

  it('upstream: a replaced set of instances', () => {
    const { instances$, client } = bench(policy);
    instances$.next({ workerId: id(1), present: true });
    expect(sets(client).available).toEqual(['1']);
    instances$.next(ids(2));
    expect(sets(client).available).toEqual(['2']);
  });

  it('is initialized by the first non-empty instances', () => {
    const { instances$, client } = bench(policy);
    instances$.next([]);
    expect(client.snapshot().initialized).toBe(false);
    instances$.next(ids(1));
    instances$.next([]);
    expect(client.snapshot()).toMatchObject({ initialized: true, counts: { routable: 0 } });
  });

  it('a late subscriber gets the current set first, and equal sets are emitted once', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    client.setOverloaded(ids(2));
    const late = [client.discovered$, client.available$, client.overloaded$, client.free$].map(collect);
    expect(late).toEqual([[['1', '2']], [['1', '2']], [['2']], [['1']]]);
    client.setOverloaded(ids(2));
    expect(late.map((rows) => rows.length)).toEqual([1, 1, 1, 1]);
  });

  it('keeps the last instances when their source errors, and continues', () => {
    const { clock, instances$, client } = bench(policy);
    const problems: Problem[] = [];
    client.problems$.subscribe((problem) => problems.push(problem));
    instances$.next(ids(1, 2));
    instances$.error(new Error('gone'));
    client.reportDown(id(1));
    clock.advance(5000);
    expect(sets(client).available).toEqual(['1', '2']);
    expect(problems).toEqual([
      { code: 'source-error', source: 'instances', text: 'the source of instances failed: gone', count: 1 },
    ]);
  });

  it('invalid instances count as an error of their source', () => {
    const { clock, instances$, client } = bench(policy);
    const texts: string[] = [];
    client.problems$.subscribe(({ text }) => texts.push(text));
    instances$.next(ids(1));
    client.reportDown(id(1));
    instances$.next(7 as never);
    clock.advance(5000);
    expect([texts.length, sets(client).available]).toEqual([1, ['1']]);
  });

  it('a snapshot does not change', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    const before = client.snapshot();
    client.reportDown(id(1));
    client.setOverloaded(ids(2));
    instances$.next(ids(3));
    expect(before.counts).toEqual({ discovered: 2, routable: 2, overloaded: 0, free: 2 });
    expect([...before.available]).toEqual(['1', '2']);
  });
});

describe.each(forgetting)('up to 1.1: $name', (policy) => {
  it('free workers are the discovered ones that are not busy; after 5 s, busy ones are free too', () => {
    const { clock, instances$, client } = bench(policy);
    instances$.next(ids(1, 2, 3));
    expect(client.setOverloaded(ids(2))).toBe(true);
    expect(sets(client)).toMatchObject({ free: ['1', '3'], available: ['1', '2', '3'], overloaded: ['2'] });
    clock.advance(4999);
    expect(sets(client).free).toEqual(['1', '3']);
    clock.advance(1);
    expect(sets(client)).toMatchObject({ free: ['1', '2', '3'], overloaded: [] });
  });

  it('any change of the instances frees all workers', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    client.setOverloaded(ids(2));
    instances$.next({ workerId: id(3), present: true });
    expect(sets(client).free).toEqual(['1', '2', '3']);
  });

  it('a worker that is down is still free', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    client.reportDown(id(1));
    expect(sets(client)).toMatchObject({ available: ['2'], free: ['1', '2'] });
  });

  it('has no overload marks', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1));
    client.markOverloaded(id(1));
    expect([sets(client).free, client.overloadReconciliationNeeded()]).toEqual([['1'], false]);
  });

  it('a monitor watches the available workers', () => {
    const { instances$, client } = bench(policy);
    const watched = collect(client.watch$ as Observable<readonly string[]>);
    const events: unknown[] = [];
    client.events$.subscribe((event) => events.push(event));
    instances$.next(ids(1, 2));
    client.reportDown(id(1));
    expect(watched).toEqual([[], ['1', '2'], ['2']]);
    expect(events).toEqual([]);
  });

  it('watch$ completes with the discovery; for a late monitor, after the current set', () => {
    const { instances$, client } = bench(policy);
    const ended: string[] = [];
    client.watch$.subscribe({ complete: () => ended.push('early') });
    instances$.next(ids(1));
    instances$.complete();
    const watched = collect(client.watch$ as Observable<readonly string[]>);
    client.watch$.subscribe({ complete: () => ended.push('late') });
    expect([watched, ended]).toEqual([[['1']], ['early', 'late']]);
  });
});

describe.each(remembering)('from 1.4 on: $name', (policy) => {
  it('upstream: overloaded set', () => {
    const { client } = bench(policy);
    const overloaded = collect(client.overloaded$);
    expect(client.setOverloaded(ids(7))).toBe(true);
    expect(client.setOverloaded(ids(7))).toBe(false);
    expect(client.setOverloaded([])).toBe(true);
    expect(client.setOverloaded([])).toBe(false);
    expect(overloaded).toEqual([[], ['7'], []]);
  });

  it('upstream: a reconcile keeps overloaded workers', () => {
    const { clock, instances$, client } = bench(policy, { inhibitedDurationMs: 100 });
    instances$.next(ids(1));
    client.setOverloaded(ids(1));
    expect(sets(client).free).toEqual([]);
    clock.advance(1000);
    expect(sets(client).free).toEqual([]);
  });

  it('upstream: a down report keeps a worker overloaded, until it leaves', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1));
    client.setOverloaded(ids(1));
    client.reportDown(id(1));
    expect(client.snapshot().counts).toEqual({ discovered: 1, routable: 0, overloaded: 1, free: 0 });
    instances$.next([]);
    expect(client.snapshot().counts.overloaded).toBe(0);
  });

  it('upstream: removal prunes', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    client.setOverloaded(ids(1, 2));
    client.markOverloaded(id(1));
    instances$.next({ workerId: id(1), present: false });
    expect(sets(client).overloaded).toEqual(['2']);
  });

  it('upstream: a worker that is overloaded before its discovery stays overloaded', () => {
    const { clock, instances$, client } = bench(policy);
    client.setOverloaded(ids(1));
    instances$.next([]);
    instances$.next(ids(1));
    expect(sets(client).free).toEqual([]);
    clock.advance(20_000);
    expect(sets(client).free).toEqual([]);
  });

  it('upstream: discovery adds free workers', () => {
    const { instances$, client } = bench(policy);
    const free = collect(client.free$);
    instances$.next({ workerId: id(1), present: true });
    expect(free).toEqual([[], ['1']]);
  });

  it('clearOverloadedForRemoved takes effect immediately', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    client.setOverloaded(ids(1, 2));
    client.clearOverloadedForRemoved([]);
    client.clearOverloadedForRemoved(ids(1));
    expect(sets(client).overloaded).toEqual(['2']);
  });

  it('a publication ends all overload marks, and returns whether the overloaded workers changed', () => {
    const { client } = bench(policy);
    client.markOverloaded(id(7));
    expect(client.setOverloaded(ids(7))).toBe(false);
    client.markOverloaded(id(8));
    expect(client.overloadReconciliationNeeded()).toBe(true);
    expect(client.setOverloaded(ids(7))).toBe(true);
    expect([sets(client).overloaded, client.overloadReconciliationNeeded()]).toEqual([['7'], false]);
  });

  it('a monitor is notified first: instances, overload marks, workers that are down and available again', () => {
    const { clock, instances$, client } = bench(policy);
    const received: unknown[] = [];
    client.free$.subscribe((free) => received.push([...free].join('+')));
    client.watch$.subscribe((change) => received.push('workerId' in change ? change : [...change]));
    client.events$.subscribe((event) => received.push(event));
    instances$.next(ids(1, 2));
    client.reportDown(id(1));
    client.reportDown(id(1));
    client.reportDown(id(9));
    client.markOverloaded(id(2));
    client.setOverloaded([]);
    clock.advance(5000);
    instances$.next({ workerId: id(2), present: false });
    const expected: unknown[] = ['', [], ['1', '2'], '1+2', { kind: 'reportedDown', workerId: '1' }, '2'];
    expected.push({ kind: 'marked', workerId: '2' }, '', '2');
    expected.push({ kind: 'instance', workerId: '1', present: true }, '1+2');
    expected.push({ workerId: '2', present: false }, '1');
    expect(received).toEqual(expected);
  });

  it('watch$ of a late monitor starts with the available workers, and completes with the discovery', () => {
    const { instances$, client } = bench(policy);
    instances$.next(ids(1, 2));
    client.reportDown(id(1));
    const ended: string[] = [];
    client.watch$.subscribe({ complete: () => ended.push('early') });
    instances$.complete();
    const watched = collect(client.watch$ as Observable<readonly string[]>);
    client.watch$.subscribe({ complete: () => ended.push('late') });
    expect([watched, ended]).toEqual([[['2']], ['early', 'late']]);
  });
});

describe.each(leasing)('from 1.6 on: $name', (policy) => {
  it('upstream: an overload mark ends by itself after a second', () => {
    const { clock, instances$, client } = bench(policy);
    instances$.next(ids(7));
    const free = collect(client.free$);
    client.markOverloaded(id(7));
    clock.advance(999);
    expect([sets(client).overloaded, client.overloadReconciliationNeeded()]).toEqual([['7'], true]);
    clock.advance(1);
    expect([sets(client).overloaded, client.overloadReconciliationNeeded()]).toEqual([[], false]);
    expect(free).toEqual([['7'], [], ['7']]);
  });

  it('upstream: published workers and workers with an overload mark are both overloaded, and each overload mark has its own time', () => {
    const { clock, client } = bench(policy);
    client.setOverloaded(ids(11));
    client.markOverloaded(id(7));
    clock.advance(700);
    client.markOverloaded(id(8));
    clock.advance(500);
    expect([sets(client).overloaded, client.overloadReconciliationNeeded()]).toEqual([['8', '11'], true]);
  });

  it('a repeated overload mark restarts its time', () => {
    const { clock, client } = bench(policy);
    client.markOverloaded(id(7));
    clock.advance(600);
    client.markOverloaded(id(7));
    clock.advance(999);
    expect(sets(client).overloaded).toEqual(['7']);
    clock.advance(1);
    expect(sets(client).overloaded).toEqual([]);
  });

  it('an expired overload mark does not count, even if the timer is late', () => {
    const { clock, client } = bench(policy);
    client.markOverloaded(id(7));
    clock.frame += 1000;
    expect([sets(client).overloaded, client.setOverloaded([])]).toEqual([[], false]);
  });

  it('requests no publication when the marked worker has left', () => {
    const { client } = bench(policy);
    client.markOverloaded(id(7));
    client.clearOverloadedForRemoved(ids(7));
    expect(client.overloadReconciliationNeeded()).toBe(false);
  });
});

describe('1.4', () => {
  it('an overload mark does not expire', () => {
    const { clock, client } = bench(clientPolicies['dynamo-1.4']);
    client.markOverloaded(id(7));
    clock.advance(3_600_000);
    expect(sets(client).overloaded).toEqual(['7']);
  });

  it('requests a publication until there is one, even when the marked worker has left', () => {
    const { client } = bench(clientPolicies['dynamo-1.4']);
    client.markOverloaded(id(7));
    client.clearOverloadedForRemoved(ids(7));
    expect(client.overloadReconciliationNeeded()).toBe(true);
    client.setOverloaded([]);
    expect(client.overloadReconciliationNeeded()).toBe(false);
  });
});

describe('compositions that are methods in 1.6', () => {
  it('upstream: an admitted view is a client of the intersection, with its own overloaded workers', () => {
    const { instances$, client } = bench(clientPolicies['dynamo-1.6']);
    const admitted$ = new BehaviorSubject<ReadonlySet<WorkerId>>(new Set());
    const both$ = combineLatest([client.discovered$, admitted$]).pipe(
      map(([discovered, admitted]) => new Set([...discovered].filter((worker) => admitted.has(worker)))),
    );
    const view = instanceClient(both$, { policy: client.policy, scheduler: new ManualClock() });
    view.connect();
    const available = collect(view.available$);
    instances$.next(ids(1));
    admitted$.next(new Set(ids(1)));
    view.setOverloaded(ids(1));
    expect([sets(view).free, sets(client).free]).toEqual([[], ['1']]);
    admitted$.next(new Set());
    expect(available).toEqual([[], ['1'], []]);
  });

  it('upstream: waiting for a routable worker', () => {
    const { instances$, client } = bench(clientPolicies['dynamo-1.6']);
    const found = collect(client.available$.pipe(first((available) => available.size > 0)));
    instances$.next([]);
    expect(found).toEqual([]);
    instances$.next(ids(1));
    expect(found).toEqual([['1']]);
  });
});

describe('instanceClient', () => {
  it('connects once, and again after a stop, with empty state', () => {
    let connections = 0;
    const instances$ = new Observable<InstanceChange>((subscriber) => {
      connections += 1;
      subscriber.next(ids(connections));
    });
    const clock = new ManualClock();
    const client = instanceClient(instances$, { scheduler: clock });
    expect(connections).toBe(0);
    expect(client.connect()).toBe(client.connect());
    client.setOverloaded(ids(1));
    client.markOverloaded(id(3));
    const ends: string[] = [];
    client.free$.subscribe({ complete: () => ends.push('free') });
    client.events$.subscribe({ complete: () => ends.push('events') });
    client.stop();
    expect(sets(client)).toEqual({ discovered: [], available: [], overloaded: [], free: [] });
    expect(ends.sort()).toEqual(['events', 'free']);
    client.connect();
    expect(sets(client)).toMatchObject({ discovered: ['2'], free: ['2'] });
    clock.advance(10_000);
    client[Symbol.dispose]();
    clock.advance(10_000);
    expect([connections, clock.actions.length]).toEqual([2, 0]);
  });

  it('leaves no timer behind', () => {
    const { clock, client } = bench(clientPolicies.default);
    client.markOverloaded(id(1));
    expect(clock.actions).toHaveLength(2);
    client.stop();
    expect(clock.actions).toHaveLength(0);
  });

  it('unsubscribing the subscription of connect stops it', () => {
    const client = instanceClient(of(ids(1)), { scheduler: new ManualClock() });
    const ends: string[] = [];
    client.free$.subscribe({ complete: () => ends.push('free') });
    client.connect().unsubscribe();
    expect([sets(client).discovered, ends]).toEqual([[], ['free']]);
  });

  it('survives instances that error immediately', () => {
    const client = instanceClient(
      throwError(() => new Error('no')),
      { scheduler: new ManualClock() },
    );
    const texts: string[] = [];
    client.problems$.subscribe(({ text }) => texts.push(text));
    client.connect();
    expect(texts).toEqual(['the source of instances failed: no']);
  });

  it.each([-1, NaN, 2 ** 31])('refuses a duration of %s', (inhibitedDurationMs) => {
    expect(() => instanceClient(NEVER, { inhibitedDurationMs })).toThrow(InhibitedDurationError);
  });

  it('waits 5 s on the default scheduler', () => {
    const schedule = vi.spyOn(asyncScheduler, 'schedule');
    const client = instanceClient(NEVER);
    client.connect();
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([5000]);
    client.stop();
    schedule.mockRestore();
  });

  it('a subscriber may call the client', () => {
    const { instances$, client } = bench(clientPolicies.default);
    client.free$.subscribe((free) => {
      if (free.has(id(1))) client.reportDown(id(1));
    });
    const free = collect(client.free$);
    instances$.next(ids(1, 2));
    expect(free.at(-1)).toEqual(['2']);
    expect(sets(client).free).toEqual(['2']);
  });
});
