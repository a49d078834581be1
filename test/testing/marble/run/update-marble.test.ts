import { concat, concatMap, delay, map, of, scan, take, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MarbleError } from '../../../../src/testing/marble/grammar/marble.js';
import { parseMarble } from '../../../../src/testing/marble/grammar/parse-marble.js';
import type { MarbleOperators } from '../../../../src/testing/marble/run/marble-operator.js';
import { updateMarble } from '../../../../src/testing/marble/run/update-marble.js';

class Box {
  readonly items: number[] = [];
}

const operators: MarbleOperators = {
  same: () => map((value: unknown) => value),
  first: ([n]) => take(Number(n)),
  burst: () => concatMap(() => concat(of(1, 2), timer(1).pipe(map(() => 3)))),
  late: () => delay(5),
  nothing: () => map(() => undefined),
  clock: () => map(() => Date.now()),
  fails: ([value]) =>
    map(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a foreign stream may do
      throw value;
    }),
  many: () => ({ many: of(...Array.from({ length: 60 }, (_, index) => index)) }),
  grows: () =>
    scan((box: Box, n: number) => {
      box.items.push(n);
      return box;
    }, new Box()),
  both: (_, { inputs: { in: in$ = of() } }) => ({ left: in$, right: in$ }),
};
const update = (text: string): string => updateMarble(parseMarble(text, 'f.txt'), operators);

describe('updateMarble', () => {
  it('leaves a file alone that holds, comments in the middle included', () => {
    const text = '% Story.\n\n-a-|\na := 1\n\n% Then.\n> same\n\n-b-|\n% What b is.\nb := 1\n';
    expect(update(text)).toBe(text);
  });

  it('rewrites row and bindings, and keeps story, titles, letters and order', () => {
    const before = `% Story.
-a-b-c-|
title = in
a := {"n": 1}
b := {"n": 18446744073709551615}
c := {"n": 3}

% Then.
> same

x--y---
title = out
x := {"n": 9}
y := {"n": 1}
% The end.
`;
    const after = `% Story.
-a-b-c-|
title = in
a := {"n": 1}
b := {"n": 18446744073709551615}
c := {"n": 3}

% Then.
> same

-y-x-z-|
title = out
x := {"n":18446744073709551615}
y := {"n": 1}
z := {"n":3}
% The end.
`;
    expect(update(before)).toBe(after);
    expect(update(after)).toBe(after);
  });

  it('uses a letter that is no longer needed for a new value first', () => {
    expect(update('-a\na := 1\n> same\n-q\nq := 2\n')).toBe('-a\na := 1\n> same\n-q\nq := 1\n');
  });

  it('updates only the rows that fail', () => {
    const inputs = 'a--\ntitle = in\na := 1\n> both\n';
    expect(update(`${inputs}z\ntitle = left\nz := 1\n-\ntitle = right\n`)).toBe(
      `${inputs}z\ntitle = left\nz := 1\nx--\ntitle = right\nx := 1\n`,
    );
  });

  it('removes unused bindings', () => {
    expect(update('-a\na := 1\n> first(0)\n-(ab)\na := 1\nb := 2\n')).toBe('-a\na := 1\n> first(0)\n|\n');
  });

  it('writes errors', () => {
    const head = '-a\na := 1\n> fails({ code: 7 })\n';
    expect(update(`${head}---\n`)).toBe(`${head}-#\n# := {"code":7}\n`);
    expect(update(`${head}-#\n# := {"code":8}\n`)).toBe(`${head}-#\n# := {"code":7}\n`);
  });

  it('updates rows of subscriptions', () => {
    const head = '-a-b-\na := 1\nb := 2\n';
    expect(update(`${head}^\n--^\n> first(1)\n-(a|)\na := 1\n`)).toBe(
      `${head}^!\n> first(1)\n-(a|)\na := 1\n`,
    );
  });

  it.each([
    [
      'a group covers the next column',
      'a\na := 0\n> burst\n-',
      'no row can show the emissions of output: (xy) at 0 ms, z at 1 ms',
    ],
    [
      'it comes between columns',
      '% tick: 10ms\na\na := 0\n> late\n-',
      'no row can show the emissions of output: x at 5 ms',
    ],
    ['JSON cannot represent it', 'a\na := 0\n> nothing\n-', 'the value of x is not valid JSON'],
    ['letters run out', '> many\n-\ntitle = many', 'no row can show the emissions of many'],
    ['a value changes later', 'aa\na := 1\n> grows\n-', 'the updated file fails too'],
    ['the run is not valid', 'a\na := 0\n> clock\n-', 'Date.now was used'],
  ])('refuses when %s', (_, text, message) => {
    expect(() => update(text)).toThrow(MarbleError);
    expect(() => update(text)).toThrow(message);
  });
});
