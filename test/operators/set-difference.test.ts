import { identity, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { setDifference, type SetDifference } from '../../src/operators/set-difference.js';
import { inVirtualTime } from './in-virtual-time.js';

const sets: Record<string, string[]> = { o: [], a: ['a'], b: ['b'], x: ['a', 'b'], y: ['b', 'a'] };

function difference(
  added: string,
  removed: string,
  present: string,
  isSnapshot = false,
): SetDifference<string> {
  return { added: [...added], removed: [...removed], present: new Set(present), isSnapshot };
}
const results = {
  e: difference('', '', '', true),
  p: difference('a', '', 'a', true),
  q: difference('b', '', 'ab'),
  r: difference('', 'b', 'a'),
  s: difference('b', 'a', 'b'),
  t: difference('', 'b', ''),
  u: difference('ab', '', 'ab', true),
  v: difference('', '', 'a'),
  w: difference('', '', 'ab'),
};

const error = new Error('broken');

describe('setDifference', () => {
  it.each([
    // name,                                      e1,            e1subs,       expected
    ['never', '                                    -           ', '^          ', '-          '],
    ['empty', '                                    |           ', '(^!)       ', '|          '],
    ['one set, against the empty one', '           --a--|      ', '^----!     ', '--p--|     '],
    ['one set that is empty', '                    --o--|      ', '^----!     ', '--e--|     '],
    ['many', '                                     a-x-a-b-o|  ', '^--------! ', 'p-q-r-s-t| '],
    ['many that are equal, in any order', '        a-a-x-y-x|  ', '^--------! ', 'p-v-q-w-w| '],
    ['an error', '                                 --x-a-#     ', '^-----!    ', '--u-r-#    '],
    ['an error at once', '                         #           ', '(^!)       ', '#          '],
    ['never ending', '                             --a--x--    ', '^          ', '--p--q--   '],
  ])('%s', (_, e1, e1subs, expected) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold(e1, sets);
      expectObservable(source$.pipe(setDifference())).toBe(expected, results);
      expectSubscriptions(source$.subscriptions).toBe(e1subs.trim());
    });
  });

  it('unsubscribed early', () => {
    inVirtualTime(({ hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot(' --a--x--a--|', sets);
      const unsub = '   ------!     ';
      const e1subs = '  ^-----!     ';
      const expected = '--p--q-     ';
      expectObservable(e1$.pipe(setDifference()), unsub).toBe(expected, results);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('every subscription begins with the empty set', () => {
    inVirtualTime(({ hot, expectObservable, expectSubscriptions }) => {
      const e1$ = hot('  --a--x--|', sets);
      const late = '     ---^     ';
      const e1subs1 = '  ^-------!';
      const e1subs2 = '  ---^----!';
      const expected1 = '--p--q--|';
      const expected2 = '-----u--|';
      const result$ = e1$.pipe(setDifference());
      expectObservable(result$).toBe(expected1, results);
      expectObservable(result$, late).toBe(expected2, results);
      expectSubscriptions(e1$.subscriptions).toBe([e1subs1, e1subs2]);
    });
  });

  it('keyOf throws - errors and unsubscribes', () => {
    const keyOf = (item: string): string => {
      if (item === 'b') throw error;
      return item;
    };
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold('--a--x--a--|', sets);
      const e1subs = '  ^----!      ';
      const expected = '--p--#      ';
      expectObservable(e1$.pipe(setDifference(keyOf))).toBe(expected, results, error);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('an iteration that throws - errors', () => {
    const broken = {
      *[Symbol.iterator](): Generator<string> {
        yield 'a';
        throw error;
      },
    };
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold<Iterable<string>>('--a--z--|', { ...sets, z: broken });
      const e1subs = '                    ^----!   ';
      const expected = '                  --p--#   ';
      expectObservable(e1$.pipe(setDifference())).toBe(expected, results, error);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('keyOf decides what is the same; the last item of a key counts, and an equal set renews the items', () => {
    const seen: SetDifference<[string, number]>[] = [];
    of<[string, number][][]>(
      [
        ['a', 1],
        ['b', 1],
        ['a', 2],
      ],
      [
        ['b', 3],
        ['a', 3],
      ],
      [['b', 4]],
    )
      .pipe(setDifference(([key]) => key))
      .subscribe((difference) => seen.push(difference));
    const [a2, b1]: [string, number][] = [
      ['a', 2],
      ['b', 1],
    ];
    expect(seen).toEqual([
      { added: [a2, b1], removed: [], present: new Set([a2, b1]), isSnapshot: true },
      {
        added: [],
        removed: [],
        present: new Set([
          ['b', 3],
          ['a', 3],
        ]),
        isSnapshot: false,
      },
      { added: [], removed: [['a', 3]], present: new Set([['b', 4]]), isSnapshot: false },
    ]);
  });

  it('before - gives the set with which each set is compared', () => {
    const source$ = new Subject<string>();
    let before = new Set('b');
    const seen: SetDifference<string>[] = [];
    source$.pipe(setDifference(identity, () => before)).subscribe((difference) => seen.push(difference));
    source$.next('ab');
    before = new Set('abc');
    source$.next('ab');
    expect(seen).toEqual([difference('a', '', 'ab', true), difference('', 'c', 'ab')]);
  });

  it('NaN equals NaN', () => {
    const added: (readonly number[])[] = [];
    of([NaN], [NaN], [NaN, 1])
      .pipe(setDifference())
      .subscribe((difference) => added.push(difference.added));
    expect(added).toEqual([[NaN], [], [1]]);
  });

  it('a set that its producer keeps changing is copied', () => {
    const live = new Set(['a']);
    const source$ = new Subject<ReadonlySet<string>>();
    const seen: SetDifference<string>[] = [];
    source$.pipe(setDifference()).subscribe((difference) => seen.push(difference));
    source$.next(live);
    live.add('b');
    source$.next(live);
    expect(seen).toEqual([results.p, results.q]);
  });

  it('a subscriber that sends the next set is compared with the one it was given', () => {
    const source$ = new Subject<string>();
    const seen: SetDifference<string>[] = [];
    source$.pipe(setDifference()).subscribe((difference) => {
      seen.push(difference);
      if (difference.present.size === 1) source$.next('ab');
    });
    source$.next('a');
    expect(seen).toEqual([results.p, results.q]);
  });
});
