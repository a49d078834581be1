import {
  EMPTY,
  NEVER,
  of,
  range,
  Subject,
  take,
  tap,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { inTurn } from '../../src/operators/in-turn.js';
import { inVirtualTime } from './in-virtual-time.js';

const MANY = 100_000;

const error = new Error('broken');

describe('inTurn', () => {
  it.each([
    // name,                             e1,            e1subs,       expected, of inner x--y|
    ['never', '                          -           ', '^          ', '-              '],
    ['empty', '                          |           ', '(^!)       ', '|              '],
    ['single', '                         --a|        ', '^--!       ', '--x--y|        '],
    ['many, with time between', '        --a-----b--| ', '^----------!', '--x--y--x--y|  '],
    ['many that wait', '                 (abc|)      ', '(^!)       ', 'x--yx--yx--y|  '],
    ['never ending', '                   --a         ', '^          ', '--x--y         '],
    ['an error', '                       #           ', '(^!)       ', '#              '],
    ['an error passes on at once', '     --ab#       ', '^---!      ', '--x-#          '],
  ])('%s', (_, e1, e1subs, expected) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold(e1);
      const result$ = source$.pipe(inTurn(() => cold('x--y|')));
      expectObservable(result$).toBe(expected);
      expectSubscriptions(source$.subscriptions).toBe(e1subs.trim());
    });
  });

  it('each stream is subscribed to when the one before has completed', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold(' -ab---------c--|  ');
      const e1subs = '   ^--------------!  ';
      const a$ = cold('   --x--|           ');
      const asubs = '    -^----!           ';
      const b$ = cold('        -y|         ');
      const bsubs = '    ------^-!         ';
      const c$ = cold('              ---z| ');
      const csubs = '    ------------^---! ';
      const expected = ' ---x---y-------z| ';
      const inner: Record<string, Observable<string>> = { a: a$, b: b$, c: c$ };
      expectObservable(e1$.pipe(inTurn((item) => inner[item] ?? NEVER))).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(a$.subscriptions).toBe(asubs);
      expectSubscriptions(b$.subscriptions).toBe(bsubs);
      expectSubscriptions(c$.subscriptions).toBe(csubs);
    });
  });

  it('unsubscribed early - ends the open stream and drops what waits', () => {
    inVirtualTime(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const inner$ = cold(' x--x--x|');
      const e1$ = hot('   --ab---------|');
      const unsub = '     ------!       ';
      const e1subs = '    ^-----!       ';
      const innersubs = ' --^---!       ';
      const expected = '  --x--x-       ';
      expectObservable(e1$.pipe(inTurn(() => inner$)), unsub).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(inner$.subscriptions).toBe(innersubs);
    });
  });

  it('an error of a stream passes on, unsubscribes and drops what waits', () => {
    inVirtualTime(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const inner$ = cold(' x--#    ');
      const e1$ = hot('   --ab------|');
      const e1subs = '    ^----!     ';
      const innersubs = ' --^--!     ';
      const expected = '  --x--#     ';
      expectObservable(e1$.pipe(inTurn(() => inner$))).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(inner$.subscriptions).toBe(innersubs);
    });
  });

  it('project throws - errors and unsubscribes', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold('--a--b--|');
      const e1subs = '  ^----!   ';
      const expected = '--a--#   ';
      const project = (item: string): Observable<string> => {
        if (item === 'b') throw error;
        return of(item);
      };
      expectObservable(e1$.pipe(inTurn(project))).toBe(expected, undefined, error);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('streams without a value, and a source that ends while one is open', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold('a--b|     ');
      const e1subs = '  ^---!     ';
      const expected = '--------| ';
      expectObservable(
        e1$.pipe(inTurn((item) => (item === 'a' ? EMPTY : timer(5).pipe(inTurn(() => EMPTY))))),
      ).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('an item that a subscriber causes waits its turn', () => {
    const source$ = new Subject<string>();
    const seen: string[] = [];
    source$.pipe(inTurn((item) => of(`${item}1`, `${item}2`))).subscribe((value) => {
      seen.push(value);
      if (value === 'a1') source$.next('b');
    });
    source$.next('a');
    expect(seen).toEqual(['a1', 'a2', 'b1', 'b2']);
  });

  it(`${MANY} streams that complete at once, behind one that does not, cost no stack and keep their order`, () => {
    const source$ = new Subject<number>();
    const first$ = new Subject<number>();
    const seen: number[] = [];
    let completed = false;
    source$.pipe(inTurn((n) => (n === 0 ? first$ : of(n)))).subscribe({
      next: (n) => seen.push(n),
      complete: () => (completed = true),
    });
    range(0, MANY).subscribe(source$);
    expect(seen).toEqual([]);
    first$.next(0);
    first$.complete();
    expect(seen).toHaveLength(MANY);
    expect(seen.every((n, index) => n === index)).toBe(true);
    expect(completed).toBe(true);
  });

  it.each<[string, (taken: MonoTypeOperatorFunction<number>) => Observable<number>]>([
    ['a source', (taken) => range(0, MANY).pipe(taken, inTurn(of))],
    ['a stream', (taken) => of(0).pipe(inTurn(() => range(0, MANY).pipe(taken)))],
  ])('stops %s that emits synchronously', (_, result) => {
    let taken = 0;
    result(tap(() => (taken += 1)))
      .pipe(take(2))
      .subscribe();
    expect(taken).toBe(2);
  });
});
