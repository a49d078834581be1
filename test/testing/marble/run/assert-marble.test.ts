import { concat, concatMap, map, NEVER, of, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { parseMarble } from '../../../../src/testing/marble/grammar/parse-marble.js';
import { failureText } from '../../../../src/testing/marble/run/assert-marble.js';
import type { MarbleOperators } from '../../../../src/testing/marble/run/marble-operator.js';
import { runMarble } from '../../../../src/testing/marble/run/run-marble.js';

const operators: MarbleOperators = {
  same: () => map((value: unknown) => value),
  scale: ([by]) =>
    map(({ n }: { n: number }) => {
      if (n < 0) throw new RangeError('too small');
      return { n: n * Number(by), deep: [{ id: 9007199254740993n }] };
    }),
  burst: () => concatMap(() => concat(of(1, 2), timer(1).pipe(map(() => 3)))),
  many: () => ({ many: of(...Array.from({ length: 60 }, (_, index) => index)), quiet: NEVER }),
  clock: () => map(() => Date.now()),
};
const failure = (text: string): string =>
  failureText(runMarble(parseMarble(text, 'marbles/f.txt'), operators));

describe('failureText', () => {
  it('is empty when everything is as expected', () => {
    expect(failure('a\na := 1\n> same\na\na := 1')).toBe('');
  });

  it('draws both rows in the same letters, with their values, and describes how the rows differ', () => {
    const text = `% A story.
--a--b--c-|
title = in
a := {"n": 1}
b := {"n": 2}
c := {"n": -1}

> scale(2)

--x---y---|
title = out
y := {"n": 4, "deep": [{"id": 9007199254740993}]}
x := {"n": 2, "deep": [{"id": 9007199254740992}]}
`;
    expect(`\n${failure(text)}\n`).toBe(`
marbles/f.txt:10: out is not as expected

  expected  --x---y---|
  actual    --A--y--#

    x         {"n":2,"deep":[{"id":9007199254740992}]}
    y         {"n":4,"deep":[{"id":9007199254740993}]}
    A         {"n":2,"deep":[{"id":9007199254740993}]}
    # actual  {"name":"RangeError","message":"too small"}

  - value differs in column 2: expected x, got A; .deep[0].id is 9007199254740993, not 9007199254740992
  - right value at the wrong time: y was expected in column 6, and was emitted in column 5
  - unexpected: the error in column 8
  - missing: the end in column 10
`);
  });

  it('shows every row that fails, and subscriptions too', () => {
    const text = `-a|
a := 1
^-!
^-!
> same
-a-|
a := 1
`;
    expect(`\n${failure(text)}\n`).toBe(`
marbles/f.txt:3: the subscriptions to input are not as expected

  input     -a|
  expected  ^-!
            ^-!
  actual    ^-!

  - expected 2 subscriptions, got 1

marbles/f.txt:6: output is not as expected

  expected  -a-|
  actual    -a|

    a  1

  - right value at the wrong time: the end was expected in column 3, and was emitted in column 2
`);
  });

  it('takes the letter that is expected in the same column, and none from the error', () => {
    const text = failure('ab\na := 1\nb := 1\n> same\nxy#\nx := 1\ny := 1\n# := 1');
    expect(text).toContain('  actual    xy-\n');
    expect(failure('a\na := 1\n> same\n--#\n# := 1')).toContain('  actual    A--\n');
  });

  it('lists in words what no row can show, since a group covers the columns after it', () => {
    expect(failure('a\na := 0\n> burst\n---')).toContain(
      'actual    (AB) at 0 ms, C at 1 ms (no row can show this)',
    );
  });

  it('is limited in length', () => {
    const text = failure('> many\n-\ntitle = many\n-\ntitle = quiet');
    expect(text).toContain('unexpected: A in column 0');
    expect(text).toContain('    and 41 more');
    expect(text.split('\n').length).toBeLessThan(60);
  });

  it('begins with what is wrong with the run itself', () => {
    const text = failure('a\na := 1\n> clock\na\na := 1');
    expect(text).toMatch(
      /^marbles\/f.txt: the run itself is not valid\n\n {2}- Date.now was used, which is real time; use a scheduler of RxJS\n\nmarbles\/f.txt:4: /,
    );
  });
});
