import { EMPTY, from, NEVER, of, range, Subject, throwError, map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  performCleanup,
  type CleanupOutcome,
  type CleanupSink,
} from '../../../src/core/pipeline/perform-cleanup.js';
import type { Cleanup } from '../../../src/core/state/cleanup.js';
import { workerId } from '../../../src/core/worker-id.js';
import { inVirtualTime } from '../../operators/in-virtual-time.js';

const error = new Error('broken');

function cleanup(id: number): Cleanup {
  return { workerId: workerId(String(id)), dpRanks: [0, 'none'], workerType: 'decode' };
}
const [a, b, c] = [cleanup(1), cleanup(2), cleanup(3)];
const cleanups = { a, b, c };
const done = (cleanup: Cleanup): CleanupOutcome => ({ cleanup });
const failed = (cleanup: Cleanup): CleanupOutcome => ({ cleanup, error });
const outcomes = { a: done(a), b: done(b), c: done(c), x: failed(a), y: failed(b) };

function performedWith(sink: CleanupSink, cleanups$: Observable<Cleanup>): CleanupOutcome[] {
  const seen: CleanupOutcome[] = [];
  cleanups$.pipe(performCleanup(sink)).subscribe((outcome) => seen.push(outcome));
  return seen;
}

describe('performCleanup', () => {
  it.each([
    // name,             e1,            e1subs,       expected, of a sink that is done at once
    ['never', '          -           ', '^          ', '-         '],
    ['empty', '          |           ', '(^!)       ', '|         '],
    ['single', '         --a--|      ', '^----!     ', '--a--|    '],
    ['many', '           --a-(bc)|   ', '^-------!  ', '--a-(bc)| '],
    ['an error', '       --a--#      ', '^----!     ', '--a--#    '],
    ['never ending', '   --a--b--    ', '^          ', '--a--b--  '],
  ])('%s', (_, e1, e1subs, expected) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold(e1, cleanups);
      expectObservable(source$.pipe(performCleanup(() => undefined))).toBe(expected, outcomes);
      expectSubscriptions(source$.subscriptions).toBe(e1subs.trim());
    });
  });

  it('one at a time, in order; values of the sink are ignored, and its error is an outcome', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold('   --a-b-----c--|  ', cleanups);
      const e1subs = '     ^------------!  ';
      const slow$ = cold('   --v|          ');
      const slowsubs = '   --^--!          ';
      const broken$ = cold('    ---#       ', undefined, error);
      const brokensubs = ' -----^--!       ';
      const late$ = cold('           ----| ');
      const latesubs = '   ----------^---! ';
      const expected = '   -----a--y-----(c|)';
      const sinks = new Map([
        [a, slow$],
        [b, broken$],
        [c, late$],
      ]);
      expectObservable(e1$.pipe(performCleanup((one) => sinks.get(one)))).toBe(expected, outcomes);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(slow$.subscriptions).toBe(slowsubs);
      expectSubscriptions(broken$.subscriptions).toBe(brokensubs);
      expectSubscriptions(late$.subscriptions).toBe(latesubs);
    });
  });

  it('unsubscribed early - ends the active cleanup, and performs no more', () => {
    const called: Cleanup[] = [];
    inVirtualTime(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot('  --ab------|', cleanups);
      const unsub = '    ----!      ';
      const e1subs = '   ^---!      ';
      const sink$ = cold(' -----|   ');
      const sinksubs = ' --^-!      ';
      const expected = ' -----      ';
      const performed$ = e1$.pipe(
        performCleanup((one) => {
          called.push(one);
          return sink$;
        }),
      );
      expectObservable(performed$, unsub).toBe(expected, outcomes);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(sink$.subscriptions).toBe(sinksubs);
    });
    expect(called).toEqual([a]);
  });

  it('a sink that throws - an outcome, and the next cleanup follows', () => {
    const sink: CleanupSink = (one) => {
      if (one === a) throw error;
    };
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold('--a--b--|', cleanups);
      const e1subs = '  ^-------!';
      const expected = '--x--b--|';
      expectObservable(e1$.pipe(performCleanup(sink))).toBe(expected, outcomes);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it.each<[string, () => Observable<never> | unknown[] | void, CleanupOutcome]>([
    ['nothing', () => undefined, done(a)],
    ['an empty Observable', () => EMPTY, done(a)],
    ['a list', () => [1, 2], done(a)],
    ['an Observable that errors', () => throwError(() => error), failed(a)],
  ])('a sink that returns %s', (_, sink, outcome) => {
    expect(performedWith(sink, of(a))).toEqual([outcome]);
  });

  it('a sink that never ends blocks later cleanups', () => {
    expect(performedWith((one) => (one === b ? NEVER : undefined), of(a, b, c))).toEqual([done(a)]);
  });

  it('a sink that returns promises, of which one is rejected', async () => {
    const seen: CleanupOutcome[] = [];
    const settle = { [a.workerId]: Promise.resolve(1), [b.workerId]: Promise.reject(new Error('refused')) };
    await new Promise<void>((resolve, reject) =>
      from([a, b, c])
        .pipe(performCleanup((one) => settle[one.workerId]))
        .subscribe({ next: (outcome) => seen.push(outcome), complete: resolve, error: reject }),
    );
    expect(seen).toEqual([done(a), { cleanup: b, error: new Error('refused') }, done(c)]);
  });

  it('a fleet that leaves at once, while the first cleanup is active', () => {
    const first$ = new Subject<never>();
    const all = 20_000;
    const cleanups$ = range(1, all).pipe(map(cleanup));
    const seen = performedWith((one) => (one.workerId === '1' ? first$ : undefined), cleanups$);
    expect(seen).toEqual([]);
    first$.complete();
    expect(seen.map((outcome) => !('error' in outcome) && Number(outcome.cleanup.workerId))).toEqual(
      Array.from({ length: all }, (_, index) => index + 1),
    );
  });
});
