import { Observable, of, range, Subject, Subscriber, take, tap } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { untilClosed } from '../../src/operators/until-closed.js';
import { inVirtualTime } from './in-virtual-time.js';

/** Passes everything on by hand, as an operator that is written with `new Observable` does. */
function byHand<T>(source$: Observable<T>): Observable<T> {
  return new Observable((subscriber) =>
    source$.pipe(untilClosed(subscriber)).subscribe({
      next: (value) => subscriber.next(value),
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    }),
  );
}

describe('untilClosed', () => {
  it.each([
    // name,             e1,            e1subs,       expected
    ['never', '          -           ', '^          ', '-         '],
    ['empty', '          |           ', '(^!)       ', '|         '],
    ['single', '         --a--|      ', '^----!     ', '--a--|    '],
    ['many', '           --a--b--|   ', '^-------!  ', '--a--b--| '],
    ['an error', '       --a--#      ', '^----!     ', '--a--#    '],
    ['never ending', '   --a--b--    ', '^          ', '--a--b--  '],
  ])('%s', (_, e1, e1subs, expected) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold(e1);
      expectObservable(byHand(source$)).toBe(expected);
      expectSubscriptions(source$.subscriptions).toBe(e1subs.trim());
    });
  });

  it('unsubscribed early', () => {
    inVirtualTime(({ hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot(' --a--b--|');
      const unsub = '   ----!    ';
      const e1subs = '  ^---!    ';
      const expected = '--a--    ';
      expectObservable(byHand(e1$), unsub).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('a consumer that leaves in the middle of a synchronous source', () => {
    const taken: number[] = [];
    byHand(range(0, 10).pipe(tap((n) => taken.push(n))))
      .pipe(take(2))
      .subscribe();
    expect(taken).toEqual([0, 1]);
  });

  it('a subscriber that is closed already - no subscription', () => {
    const source$ = new Subject<number>();
    const closed$ = new Observable<unknown>((subscriber) => {
      subscriber.complete();
      source$.pipe(untilClosed(subscriber)).subscribe();
    });
    closed$.subscribe();
    expect(source$.observed).toBe(false);
  });

  it('the teardown on the subscriber is removed with the source', () => {
    const add = vi.spyOn(Subscriber.prototype, 'add');
    const remove = vi.spyOn(Subscriber.prototype, 'remove');
    new Observable<number>((subscriber) => {
      add.mockClear();
      of(1).pipe(untilClosed(subscriber)).subscribe();
      const hooks = add.mock.calls.filter((_, call) => add.mock.contexts[call] === subscriber);
      expect(hooks).toHaveLength(1);
      expect(remove).toHaveBeenCalledWith(...(hooks[0] ?? []));
    }).subscribe();
    expect(remove).toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});
