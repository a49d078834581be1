import { config, merge, of, range, share, Subject, take, tap } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { trampoline } from '../../src/operators/trampoline.js';
import { inVirtualTime } from './in-virtual-time.js';

const MANY = 100_000;

/** What reaches a subscriber that answers an item with others. */
function answering(answers: Record<string, string>): { seen: string[]; source$: Subject<string> } {
  const source$ = new Subject<string>();
  const seen: string[] = [];
  source$.pipe(trampoline()).subscribe({
    next: (item) => {
      seen.push(`${item} begins`);
      for (const answer of answers[item] ?? '') source$.next(answer);
      seen.push(`${item} ends`);
    },
    complete: () => seen.push('complete'),
    error: (error: unknown) => seen.push(`error: ${String(error)}`),
  });
  return { seen, source$ };
}

describe('trampoline', () => {
  it.each([
    // name,                   e1,              e1subs,         expected
    ['never', '                -             ', '^           ', '-            '],
    ['empty', '                |             ', '(^!)        ', '|            '],
    ['single', '               --a--|        ', '^----!      ', '--a--|       '],
    ['many', '                 --a-(bc)-d|   ', '^---------! ', '--a-(bc)-d|  '],
    ['many, then an error', '  --a--b#       ', '^-----!     ', '--a--b#      '],
    ['an error', '             #             ', '(^!)        ', '#            '],
    ['all at one moment', '    (abc|)        ', '(^!)        ', '(abc|)       '],
    ['never ending', '         --a--b--      ', '^           ', '--a--b--     '],
  ])('%s', (_, e1, e1subs, expected) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold(e1);
      expectObservable(source$.pipe(trampoline())).toBe(expected);
      expectSubscriptions(source$.subscriptions).toBe(e1subs.trim());
    });
  });

  it('unsubscribed early', () => {
    inVirtualTime(({ hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot(' --a--b--c--|');
      const unsub = '   ------!     ';
      const e1subs = '  ^-----!     ';
      const expected = '--a--b-     ';
      expectObservable(e1$.pipe(trampoline()), unsub).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('caused items follow the one that caused them, also for a later subscriber', () => {
    inVirtualTime(({ hot, expectObservable, expectSubscriptions }) => {
      const answers$ = new Subject<string>();
      const answer = tap((item: string) => {
        if (item === 'a') answers$.next('p');
        if (item === 'p') answers$.next('q');
      });
      const e1$ = hot('  --a-----c--|');
      const unsub = '    ----------! ';
      const e1subs = '   ^---------! ';
      const expected = ' --(apq)-c- ';
      const shared$ = merge(e1$, answers$).pipe(trampoline(), share());
      expectObservable(shared$.pipe(answer), unsub).toBe(expected);
      expectObservable(shared$, unsub).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('an item is delivered when all outputs of the one before are done, in the order of arrival', () => {
    const { seen, source$ } = answering({ a: 'bc', b: 'd' });
    source$.next('a');
    expect(seen).toEqual(['a', 'b', 'c', 'd'].flatMap((item) => [`${item} begins`, `${item} ends`]));
  });

  it('an item that does not wait is delivered before next returns, also after waiting ones', () => {
    const { seen, source$ } = answering({ a: 'b' });
    source$.next('a');
    expect(seen).toHaveLength(4);
    source$.next('c');
    expect(seen.slice(4)).toEqual(['c begins', 'c ends']);
  });

  it.each([
    ['completion', (source$: Subject<string>) => source$.complete(), 'complete'],
    ['an error', (source$: Subject<string>) => source$.error(new Error('broken')), 'error: Error: broken'],
  ])('%s waits behind the items', (_, end, last) => {
    const source$ = new Subject<string>();
    const seen: string[] = [];
    source$.pipe(trampoline()).subscribe({
      next: (item) => {
        if (item === 'a') {
          source$.next('b');
          end(source$);
          source$.next('too late');
        }
        seen.push(item);
      },
      complete: () => seen.push('complete'),
      error: (error: unknown) => seen.push(`error: ${String(error)}`),
    });
    source$.next('a');
    expect(seen).toEqual(['a', 'b', last]);
  });

  it('unsubscribing drops what waits', () => {
    const source$ = new Subject<string>();
    const seen: string[] = [];
    const subscription = source$.pipe(trampoline()).subscribe((item) => {
      seen.push(item);
      if (item === 'a') [...'bcd'].forEach((caused) => source$.next(caused));
      if (item === 'b') subscription.unsubscribe();
    });
    source$.next('a');
    expect(seen).toEqual(['a', 'b']);
    expect(source$.observed).toBe(false);
  });

  it('stops a source that emits synchronously', () => {
    const taken: number[] = [];
    range(0, MANY)
      .pipe(
        tap((n) => taken.push(n)),
        trampoline(),
        take(2),
      )
      .subscribe();
    expect(taken).toEqual([0, 1]);
  });

  it(`${MANY} items, each caused by the one before, cost no stack`, () => {
    const source$ = new Subject<number>();
    let last = -1;
    source$.pipe(trampoline()).subscribe((n) => {
      last = n;
      if (n < MANY) source$.next(n + 1);
    });
    source$.next(0);
    expect(last).toBe(MANY);
  });

  it(`${MANY} items caused by one`, () => {
    const source$ = new Subject<number>();
    const seen: number[] = [];
    source$.pipe(trampoline()).subscribe((n) => {
      seen.push(n);
      for (let caused = 1; n === 0 && caused <= MANY; caused += 1) source$.next(caused);
    });
    source$.next(0);
    expect(seen).toHaveLength(MANY + 1);
    expect(seen.every((n, index) => n === index)).toBe(true);
  });

  it('every subscription has its own queue', () => {
    const source$ = new Subject<string>();
    const result$ = source$.pipe(trampoline());
    const seen: string[] = [];
    result$.subscribe((item) => {
      if (item === 'a') source$.next('b');
      seen.push(`1${item}`);
    });
    result$.subscribe((item) => seen.push(`2${item}`));
    source$.next('a');
    expect(seen).toEqual(['2b', '1a', '1b', '2a']);
  });

  describe('items of several parts, and items that are fed back', () => {
    /** Items that are delivered letter by letter, what was left of them, and what was fed back. */
    function letters(answers: Record<string, string> = {}, stopAt = '') {
      const source$ = new Subject<string>();
      const fedBack$ = new Subject<string>();
      const seen: string[] = [];
      let left = '';
      const options = {
        hasMore: () => left !== '',
        whileWaiting: (item: string) => [...item],
        fedBack$,
      };
      const subscription = source$.pipe(trampoline(options)).subscribe({
        next: (item) => {
          const rest = left === '' ? item : left;
          const part = item.length === 1 ? item : (rest[0] ?? '');
          if (item.length > 1) left = rest.slice(1);
          seen.push(part);
          if (part === stopAt) subscription.unsubscribe();
          if (answers[part] !== undefined) source$.next(answers[part]);
        },
        error: (error: unknown) => seen.push(`error: ${String(error)}`),
        complete: () => seen.push('complete'),
      });
      return { seen, source$, fedBack$ };
    }

    it('an item is delivered once for each part', () => {
      const { seen, source$ } = letters();
      source$.next('abc');
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    it('what a part causes comes before the next part, as what waits in its place', () => {
      const { seen, source$ } = letters({ a: 'xy', x: 'z', c: 'w' });
      source$.next('abc');
      expect(seen).toEqual(['a', 'x', 'y', 'z', 'b', 'c', 'w']);
    });

    it('unsubscribing discards the parts that are left, and leaves what is fed back', () => {
      const { seen, source$, fedBack$ } = letters({ a: 'x' }, 'b');
      source$.next('abc');
      expect(seen).toEqual(['a', 'x', 'b']);
      expect([source$.observed, fedBack$.observed]).toEqual([false, false]);
    });

    it('the completion of the source waits for the parts that are left', () => {
      const { seen, source$, fedBack$ } = letters({ a: 'x' });
      fedBack$.next('p');
      source$.next('abc');
      source$.complete();
      fedBack$.next('q');
      expect(seen).toEqual(['p', 'a', 'x', 'b', 'c', 'complete']);
      expect(fedBack$.observed).toBe(false);
    });

    it('what is fed back may complete, and its error is an error of the result', () => {
      const completed = letters();
      completed.fedBack$.complete();
      completed.source$.next('a');
      expect(completed.seen).toEqual(['a']);
      const failed = letters();
      failed.fedBack$.error(new Error('broken'));
      expect(failed.seen).toEqual(['error: Error: broken']);
      expect(failed.source$.observed).toBe(false);
    });

    it('what is fed back on subscription comes before what the source emits then', () => {
      const seen: string[] = [];
      of('b', 'c')
        .pipe(trampoline({ hasMore: () => false, whileWaiting: (item) => [item], fedBack$: of('a') }))
        .subscribe((item) => seen.push(item));
      expect(seen).toEqual(['a', 'b', 'c']);
    });
  });

  describe('a subscriber that throws', () => {
    afterEach(() => {
      config.onUnhandledError = null;
      vi.useRealTimers();
    });

    it('is reported, and what waits is delivered', () => {
      vi.useFakeTimers();
      const reported: unknown[] = [];
      config.onUnhandledError = (error) => reported.push(error);
      const source$ = new Subject<string>();
      const seen: string[] = [];
      source$.pipe(trampoline()).subscribe((item) => {
        seen.push(item);
        if (item !== 'a') return;
        source$.next('b');
        throw new Error('broken');
      });
      source$.next('a');
      source$.next('c');
      vi.runAllTimers();
      expect(seen).toEqual(['a', 'b', 'c']);
      expect(reported).toEqual([new Error('broken')]);
    });
  });
});
