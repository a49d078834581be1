import { concat, map, of, Subject, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { attachLate, type WatchItem } from '../../src/operators/attach-late.js';
import { inVirtualTime } from './in-virtual-time.js';

const attached = (watch: number, value: string): WatchItem<string> => ({ kind: 'attached', watch, value });
const next = (watch: number, value: string): WatchItem<string> => ({ kind: 'next', watch, value });
const closed = (watch: number): WatchItem<string> => ({ kind: 'closed', watch });
const failed = (watch: number | null, error: unknown = 'error'): WatchItem<string> => ({
  kind: 'error',
  watch,
  error,
});

describe('attachLate', () => {
  it.each([
    // name,                          inner$$,     outersubs,   expected, of inner -x-y|
    ['never', '                       -         ', '^         ', '-              '],
    ['empty', '                       |         ', '(^!)      ', '|              '],
    ['one', '                         --a|      ', '^--!      ', '---p-q(m|)     '],
    ['one, without an end', '         --a       ', '^         ', '---p-qm        '],
    ['an error of the outer', '       --a-#     ', '^---!     ', '---p#          '],
    ['an error at once', '            #         ', '(^!)      ', '#              '],
  ])('%s', (_, outer, outersubs, expected) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const outer$$ = cold(outer, { a: cold('-x-y|') });
      const values = { p: attached(0, 'x'), q: next(0, 'y'), m: closed(0) };
      expectObservable(attachLate(outer$$)).toBe(expected, values);
      expectSubscriptions(outer$$.subscriptions).toBe(outersubs.trim());
    });
  });

  it('many are subscribed at the same time, and numbered in the order of their first values', () => {
    inVirtualTime(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot('  --a--b------|    ');
      const e1subs = '   ^-----------!    ';
      const a$ = cold('    -----u-v-|     ');
      const asubs = '    --^--------!     ';
      const b$ = cold('       -x---y---|  ');
      const bsubs = '    -----^--------!  ';
      const expected = ' ------pq-rst--(m|)';
      const values = {
        p: attached(0, 'x'),
        q: attached(1, 'u'),
        r: next(1, 'v'),
        s: next(0, 'y'),
        t: closed(1),
        m: closed(0),
      };
      expectObservable(attachLate(e1$.pipe(toInner({ a: a$, b: b$ })))).toBe(expected, values);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(a$.subscriptions).toBe(asubs);
      expectSubscriptions(b$.subscriptions).toBe(bsubs);
    });
  });

  it('the error of one is an item, and the others go on', () => {
    inVirtualTime(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot('  --a-b---|       ');
      const e1subs = '   ^-------!       ';
      const a$ = cold('    -x-#          ');
      const asubs = '    --^--!          ';
      const b$ = cold('      -----y--|   ');
      const bsubs = '    ----^-------!   ';
      const expected = ' ---p-q---r--(s|)';
      const values = { p: attached(0, 'x'), q: failed(0), r: attached(1, 'y'), s: closed(1) };
      expectObservable(attachLate(e1$.pipe(toInner({ a: a$, b: b$ })))).toBe(expected, values);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(a$.subscriptions).toBe(asubs);
      expectSubscriptions(b$.subscriptions).toBe(bsubs);
    });
  });

  it('one that fails, or ends, before its first value takes no number', () => {
    inVirtualTime(({ cold, hot, expectObservable }) => {
      const e1$ = hot(' -a-b-c|    ');
      const a$ = cold('  -#        ');
      const b$ = cold('    -|      ');
      const c$ = cold('      -x-|  ');
      const expected = '--p---q-(r|)';
      const values = { p: failed(null), q: attached(0, 'x'), r: closed(0) };
      expectObservable(attachLate(e1$.pipe(toInner({ a: a$, b: b$, c: c$ })))).toBe(expected, values);
    });
  });

  it('a value that is not a stream is an error item', () => {
    const items: WatchItem<string>[] = [];
    attachLate(of(undefined as never, ['x'])).subscribe((item: WatchItem<string>) => items.push(item));
    expect(items).toEqual([failed(null, expect.any(TypeError)), attached(0, 'x'), closed(0)]);
  });

  it('unsubscribed early - from the outer and from all inner streams', () => {
    inVirtualTime(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot('  --a-b-----|');
      const unsub = '    -------!   ';
      const e1subs = '   ^------!   ';
      const a$ = cold('    -x------|');
      const asubs = '    --^----!   ';
      const b$ = cold('      -y----|');
      const bsubs = '    ----^--!   ';
      const expected = ' ---p-q--   ';
      const values = { p: attached(0, 'x'), q: attached(1, 'y') };
      expectObservable(attachLate(e1$.pipe(toInner({ a: a$, b: b$ }))), unsub).toBe(expected, values);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
      expectSubscriptions(a$.subscriptions).toBe(asubs);
      expectSubscriptions(b$.subscriptions).toBe(bsubs);
    });
  });

  it('every subscription numbers from 0', () => {
    const result$ = attachLate(of(['x']));
    const once = [attached(0, 'x'), closed(0)];
    const items: WatchItem<string>[] = [];
    concat(result$, result$).subscribe((item) => items.push(item));
    expect(items).toEqual([...once, ...once]);
  });

  it('a subscriber that causes the next value while it is given the first', () => {
    const inner$ = new Subject<string>();
    const items: WatchItem<string>[] = [];
    attachLate(of(inner$)).subscribe((item) => {
      items.push(item);
      if (item.kind === 'attached') inner$.next('y');
    });
    inner$.next('x');
    expect(items).toEqual([attached(0, 'x'), next(0, 'y')]);
  });
});

/** The streams that the letters of an outer row stand for. */
function toInner(
  inner: Record<string, Observable<string>>,
): (letters$: Observable<string>) => Observable<Observable<string>> {
  return map((letter: string) => inner[letter] ?? throwError(() => new Error(`no stream ${letter}`)));
}
