import {
  NEVER,
  Observable,
  Subject,
  VirtualTimeScheduler,
  concat,
  defer,
  map,
  of,
  retry,
  share,
  throwError,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { FleetEvent } from '../../../src/core/events/fleet-event.js';
import { LoadBatch, WorkerTable } from '../../../src/core/events/load-batch.js';
import { type FleetInput, foldFleet, isStep } from '../../../src/core/pipeline/fold-fleet.js';
import { reduceFleet } from '../../../src/core/pipeline/reduce-fleet.js';
import { busySets } from '../../../src/core/pipeline/selections.js';
import { policies } from '../../../src/core/policy/policies.js';
import type { FleetStep } from '../../../src/core/state/fleet-step.js';
import { setDifference } from '../../../src/operators/set-difference.js';
import { id, load } from '../../support/fleet.js';
import { loadColumns } from '../../support/load-columns.js';

const start = { thresholds: { activePrefillTokensThreshold: 10 } };
const tokens = (worker: number, activePrefillTokens: number): FleetEvent =>
  load({ workerId: id(worker), activePrefillTokens });
const batchOf = (...rows: [worker: number, tokens: number][]): LoadBatch =>
  new LoadBatch(
    loadColumns(new WorkerTable(), ...rows.map(([worker, value]) => [worker, 0, value] as const)),
  );
const threshold = (activePrefillTokensThreshold: number): FleetEvent => ({
  kind: 'thresholds',
  activePrefillTokensThreshold,
});
const busyText = ({ busy }: FleetStep): string => `busy ${busy.ids.join()}`;
const changesOf = ({ transitions }: FleetStep): string[] =>
  transitions.map(({ workerId, to }) => `${workerId} ${to === 'busy' ? 'up' : to === 'free' ? 'down' : to}`);

describe('reduceFleet - a run', () => {
  it('the first step is made on subscription, before the source is subscribed to, and has the initial busy set', () => {
    const seen: string[] = [];
    const source$ = new Observable<FleetEvent>((subscriber) => {
      seen.push('subscribed');
      subscriber.next(tokens(7, 11));
    });
    source$.pipe(reduceFleet(policies.default, start)).subscribe((step) => seen.push(busyText(step)));
    expect(seen).toEqual(['busy ', 'subscribed', 'busy 7']);
  });

  it('the first step has the time of its subscription and the thresholds of the start, and nothing that changed', () => {
    const scheduler = new VirtualTimeScheduler();
    const steps: FleetStep[] = [];
    const steps$ = NEVER.pipe(reduceFleet(policies.default, start, scheduler));
    scheduler.schedule(() => steps$.subscribe((step) => steps.push(step)), 400);
    scheduler.flush();
    expect(steps).toEqual([
      expect.objectContaining({ at: 400, transitions: [], cleanups: [], problems: [] }) as FleetStep,
    ]);
    expect(steps[0]?.thresholds).toMatchObject(start.thresholds);
  });

  it('a retry shows no worker of the run before', () => {
    let run = 6;
    const source$ = defer(() => {
      run += 1;
      const after$ = run === 7 ? throwError(() => new Error('lost')) : NEVER;
      return concat(of(tokens(run, 11)), after$);
    });
    const seen: string[] = [];
    source$
      .pipe(reduceFleet(policies.default, start), retry(1), busySets(), setDifference())
      .subscribe(({ added, removed }) => seen.push(`+${added.join()} -${removed.join()}`));
    expect(seen).toEqual(['+ -', '+7 -', '+ -7', '+8 -']);
  });

  it('every subscription has its own state', () => {
    const source$ = new Subject<FleetEvent>();
    const steps$ = source$.pipe(reduceFleet(policies.default, start));
    const seen: string[][] = [[], []];
    steps$.subscribe((step) => seen[0]?.push(busyText(step)));
    source$.next(tokens(7, 11));
    steps$.subscribe((step) => seen[1]?.push(busyText(step)));
    source$.next(tokens(8, 11));
    expect(seen).toEqual([
      ['busy ', 'busy 7', 'busy 7,8'],
      ['busy ', 'busy 8'],
    ]);
  });

  it.each([
    ['completes', of(tokens(7, 11)), 'complete'],
    [
      'errors',
      concat(
        of(tokens(7, 11)),
        throwError(() => new Error('lost')),
      ),
      'Error: lost',
    ],
  ])('%s as its source does, without another step', (_, source$, last) => {
    const seen: string[] = [];
    source$.pipe(reduceFleet(policies.default, start)).subscribe({
      next: (step) => seen.push(busyText(step)),
      error: (error: unknown) => seen.push(String(error)),
      complete: () => seen.push('complete'),
    });
    expect(seen).toEqual(['busy ', 'busy 7', last]);
  });
});

describe('reduceFleet - order', () => {
  it('an event that a subscriber causes waits until every subscriber has received the step', () => {
    const source$ = new Subject<FleetEvent>();
    const steps$ = source$.pipe(reduceFleet(policies.default, start), share());
    steps$.subscribe(({ transitions }) => {
      if (transitions[0]?.busy === true) source$.next(threshold(20));
    });
    const seen: string[] = [];
    steps$.subscribe((step) => seen.push(...changesOf(step)));
    source$.next(tokens(7, 11));
    expect(seen).toEqual(['7 up', '7 down']);
  });

  it('every subscriber of a step finds the state of that step', () => {
    const source$ = new Subject<FleetInput>();
    const folded$ = source$.pipe(foldFleet(policies.default, start, new VirtualTimeScheduler()), share());
    folded$.subscribe(({ made }) => {
      if (isStep(made) && made.busy.size === 1) source$.next(tokens(8, 11));
    });
    const seen: string[] = [];
    folded$.subscribe(({ fleet, made }) => {
      if (isStep(made)) seen.push(`${made.busy.ids.join()} in ${fleet.busy.ids.join()}`);
    });
    source$.next(batchOf([7, 11], [9, 11]));
    expect(seen).toEqual(['7 in 7', '7,8 in 7,8', '7,8,9 in 7,8,9']);
  });

  it('the rows after a step wait for what the step caused', () => {
    const source$ = new Subject<FleetInput>();
    const seen: string[] = [];
    source$.pipe(reduceFleet(policies.default, start)).subscribe((step) => {
      seen.push(...changesOf(step));
      if (step.transitions[0]?.busy === true) source$.next(threshold(20));
    });
    source$.next(batchOf([1, 0], [7, 11], [8, 11], [9, 21]));
    expect(seen).toEqual(['1 down', '7 up', '7 down', '8 down', '9 up']);
  });

  it('a batch makes the same steps as its loads one by one', () => {
    const rows: [number, number][] = [
      [7, 11],
      [8, 0],
      [7, 12],
      [8, 11],
      [7, 0],
    ];
    const stepsOf = (...inputs: FleetInput[]): unknown[] => {
      const steps: unknown[] = [];
      of(...inputs)
        .pipe(
          reduceFleet(policies.default, start, new VirtualTimeScheduler()),
          map((step) => [step.busy.ids, step.fleet, step.transitions, step.problems]),
        )
        .subscribe((step) => steps.push(step));
      return steps;
    };
    expect(stepsOf(batchOf(...rows))).toEqual(
      stepsOf(...rows.map(([worker, value]) => tokens(worker, value))),
    );
  });
});

describe('foldFleet - its end', () => {
  it('what is fed back can stop it within a batch, and the rows that are left are not taken', () => {
    const source$ = new Subject<FleetInput>();
    const caused$ = new Subject<FleetEvent>();
    const seen: string[] = [];
    source$.pipe(foldFleet(policies.default, start, new VirtualTimeScheduler(), caused$)).subscribe({
      next: ({ made }) => {
        if (!isStep(made)) return;
        seen.push(busyText(made));
        if (made.busy.size > 0) caused$.next({ kind: 'stop' });
      },
      complete: () => seen.push('complete'),
    });
    source$.next(batchOf([7, 11], [8, 11]));
    expect(seen).toEqual(['busy ', 'busy 7', 'complete']);
    expect([source$.observed, caused$.observed]).toEqual([false, false]);
  });

  it('an input that ends the state under the policy completes it after its step', () => {
    const seen: string[] = [];
    concat(of<FleetEvent>({ kind: 'loadStreamEnded' }), NEVER)
      .pipe(reduceFleet(policies['dynamo-1.0']))
      .subscribe({
        next: ({ problems }) => seen.push(problems.map(({ code }) => code).join()),
        complete: () => seen.push('complete'),
      });
    expect(seen).toEqual(['', 'source-ended', 'complete']);
  });

  it('unsubscribing ends the timers of overload marks', () => {
    const scheduler = new VirtualTimeScheduler();
    const subscription = concat(of<FleetEvent>({ kind: 'marked', workerId: id(7) }), NEVER)
      .pipe(reduceFleet(policies.default, start, scheduler))
      .subscribe();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toHaveLength(1);
    subscription.unsubscribe();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toHaveLength(0);
  });
});
