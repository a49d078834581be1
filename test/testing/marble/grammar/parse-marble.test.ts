import { describe, expect, it } from 'vitest';
import { MarbleError } from '../../../../src/testing/marble/grammar/marble.js';
import { parseMarble } from '../../../../src/testing/marble/grammar/parse-marble.js';

const good = `% A story
% in two lines.
% tick: 10ms
% rule: one
% rule: two

-a--(bc)--|
title = left
kind = cold
a := {"id": 18446744073709551615}
b := -9007199254740993
c := 9007199254740991
---^---!
-^

--#
title = right
# := "broken"

> first({ deep: [1, -2.5e3, 'a\\'b', "c\\u0041", true, false, null], 'k-k': 18446744073709551615, })
> second

-(x|)
title = out
x := []
^--!
`;

describe('parseMarble - reads', () => {
  const marble = parseMarble(good, 'good.txt');
  const [left, right] = marble.inputs;

  it('story, tick and rules', () => {
    expect(marble).toMatchObject({ story: ['A story', 'in two lines.'], tickMs: 10, rules: ['one', 'two'] });
  });

  it('rows: a group happens in the column of its bracket and is as wide as its text', () => {
    expect(left?.notifications.map(({ column, letter }) => `${letter}${column}`)).toEqual([
      'a1',
      'b4',
      'c4',
      '|10',
    ]);
    expect(right?.notifications).toEqual([{ column: 2, kind: 'error', letter: '#' }]);
  });

  it('integers of any size with all their digits', () => {
    expect([...(left?.bindings.values() ?? [])].map(({ value }) => value)).toEqual([
      { id: 18446744073709551615n },
      -9007199254740993n,
      9007199254740991,
    ]);
  });

  it('titles, kinds, and rows of subscriptions', () => {
    expect([left?.title, left?.cold, right?.title, right?.cold]).toEqual(['left', true, 'right', false]);
    expect(left?.subscriptions).toEqual([
      { line: 13, from: 3, to: 7 },
      { line: 14, from: 1, to: null },
    ]);
    expect(marble.outputs[0]?.subscriptions).toEqual([{ line: 26, from: 0, to: 3 }]);
  });

  it('operators with literals', () => {
    expect(marble.calls.map(({ name, args }) => ({ name, args }))).toEqual([
      {
        name: 'first',
        args: [{ deep: [1, -2500, "a'b", 'cA', true, false, null], 'k-k': 18446744073709551615n }],
      },
      { name: 'second', args: [] },
    ]);
  });

  it('a single stream without titles, with either kind of line ending', () => {
    const marble = parseMarble('a\r\na := 1\r\n> x()\r\n-\r\n', 'f');
    expect([marble.inputs[0]?.title, marble.outputs[0]?.title]).toEqual(['input', 'output']);
    expect(marble.tickMs).toBe(1);
  });

  it('a subscription that ends at once', () => {
    const [input] = parseMarble('-\n-(^!)\n> x\n-', 'f').inputs;
    expect(input?.subscriptions).toEqual([{ line: 2, from: 1, to: 1 }]);
  });

  it('a file without inputs', () => {
    expect(parseMarble('> timer(5)\n---', 'f').inputs).toEqual([]);
  });
});

/** Small files with the given lines. */
const withInput = (...lines: string[]): string => [...lines, '> x', '-'].join('\n');
const withCall = (call: string): string => `-\n${call}\n-`;
const withOutput = (...lines: string[]): string => ['-', '> x', ...lines].join('\n');

describe('parseMarble - rejects, with the position and what to do', () => {
  it.each([
    [
      'an unbound letter',
      withInput('-a'),
      'f:1: column 1: a is not bound; give its value in a line "a := JSON"',
    ],
    ['an unbound error', withInput('-#'), 'f:1: column 1: # is not bound'],
    [
      'an unused binding',
      withInput('-a', 'a := 1', 'b := 2'),
      'f:3: b is bound, but is not in the row of line 1',
    ],
    ['a letter bound twice', withInput('a', 'a := 1', 'a := 1'), 'f:3: a is bound twice'],
    ['a binding of two letters', withInput('ab', 'ab := 1'), 'f:2: "ab" cannot be bound'],
    ['a value that is not JSON', withInput('a', "a := 'x'"), 'f:2: the value of a is not valid JSON'],
    ['a binding without a value', withInput('a', 'a :='), 'f:2: the value of a is not valid JSON'],
    ['a repeated key', withInput('a', 'a := {"k":1,"k":2}'), 'duplicate key "k"'],
    ['a binding without a row', withInput('a := 1'), 'f:1: this line belongs below the row of a stream'],
    ['digits', withInput('-1-'), 'f:1: column 1: "1" is not allowed in a row; each column is one tick'],
    [
      'a time in a row',
      withInput('a 10ms b'),
      'f:1: column 1: " " is not allowed in a row; each column is one tick',
    ],
    ['another character', withInput('-*-'), '"*" is not allowed in a row; write - for a tick'],
    ['an emoji, in its column', withInput('-🙂-'), 'f:1: column 1: "🙂"'],
    ['an indented row', withInput(' -a', 'a := 1'), 'f:1: the line is indented'],
    ['a value after the end', withInput('-|a'), 'f:1: column 2: "a" is after the end'],
    ['time after the end', withInput('-|-'), 'f:1: column 2: "-" is after the end'],
    ['a second end', withInput('(||)'), 'f:1: column 2: "|" is after the end'],
    ['a group in a group', withInput('((a)'), 'a group cannot contain a group'],
    ['time in a group', withInput('(a-b)'), 'a group cannot contain a dash'],
    ['an empty group', withInput('--()'), 'f:1: column 3: the group is empty'],
    ['a group that is not closed', withInput('-(a'), 'f:1: column 1: the group is not closed'],
    ['a group that was not opened', withInput('-a)'), 'the ) closes no group'],
    ['a section of styles', withInput('[styles]'), '"[" is not allowed in a row'],
    ['an inner stream', withInput('-', 'x = --a--|'), '"x = --a--|" is not a setting here'],
    ['a second title', withInput('-', 'title = a', 'title = b'), 'f:3: this stream already has a title'],
    ['an unknown kind', withInput('-', 'kind = warm'), '"kind = warm" is not a setting here'],
    ['a cold output', withOutput('-', 'kind = cold'), '"kind = cold" is not a setting here'],
    ['a duplicate title', withInput('-', 'title = a', '-', 'title = a'), 'f:3: duplicate title "a"'],
    ['a second stream without title', withOutput('-', '-'), 'f:4: duplicate title "output"'],
    ['no operator', '--', 'f:1: there is no operator'],
    ['no expected output', '-\n> x', 'f:2: there is no expected output; write at least one row'],
    ['an empty file', '', 'there is no operator'],
    ['an operator below a row', '-\n> x\n-\n> y\n', 'f:4: an operator is below an expected row'],
    ['an unknown unit', '% tick: 1h\n' + withInput('-'), 'f:1: "1h" is not a valid tick'],
    ['a tick of nothing', '% tick: 0ms\n' + withInput('-'), '"0ms" is not a valid tick'],
    ['a tick without unit', '% tick: 10\n' + withInput('-'), '"10" is not a valid tick'],
    ['a second tick', '% tick: 1ms\n% tick: 1ms\n' + withInput('-'), 'f:2: the tick is set twice'],
    ['a directive by another name', '%Ticks: 1ms\n' + withInput('-'), 'unknown directive "Ticks"'],
    ['a rule without id', '% rule:\n' + withInput('-'), 'a rule has no id'],
    ['a rule named twice', '% rule: a\n% rule: a\n' + withInput('-'), 'f:2: duplicate rule a'],
    ['a second ^', withInput('-', '^-^'), 'f:2: column 2: the row has a second ^'],
    ['an end before ^', withInput('-', '!^'), 'the ! is before the ^'],
    [
      'values in a row of subscriptions',
      withInput('-', '-^-a'),
      '"a" is not allowed in a row of subscriptions',
    ],
    ['what follows !', withInput('-', '^!-'), 'nothing may follow the end of the subscription'],
    [
      'subscriptions in a group that is not closed',
      withInput('-', '-(^'),
      'f:2: column 1: the group is not closed',
    ],
    ['two times of watching', withOutput('-', '^-!', '^--!'), 'f:5: an output is watched only once'],
    ['an ! without ^', withInput('-!'), '"!" is not allowed in a row of values'],
    [
      'an operator without name',
      withCall('> (1)'),
      'f:2: column 2: expected the name of an operator, but found "("',
    ],
    [
      'brackets that are not closed',
      withCall('> x(1, [2'),
      'f:2: column 9: expected a comma or ], but the line ends',
    ],
    ['a text that is not closed', withCall("> x('a)"), 'the string that starts here is not closed'],
    [
      'a variable',
      withCall('> x({ policy: policies })'),
      'policies is not a value; only true, false and null are written without quotes',
    ],
    ['a missing comma', withCall('> x(1 2)'), 'expected a comma or ), but found "2"'],
    ['a missing colon', withCall('> x({ a 1 })'), 'expected a colon, but found "1"'],
    ['a duplicate key', withCall('> x({ a: 1, "a": 2 })'), 'duplicate key "a"'],
    ['an arrow function', withCall('> map((x) => x)'), 'expected a value, but found "("'],
    ['more after the operator', withCall('> x() y'), 'expected the end of the line, but found "y"'],
    ['a wrong escape', withCall("> x('\\u12')"), '\\u needs four hexadecimal digits'],
  ])('%s', (_, text, message) => {
    expect(() => parseMarble(text, 'f')).toThrow(MarbleError);
    expect(() => parseMarble(text, 'f')).toThrow(message);
  });

  it('has file, line and a code', () => {
    let caught: unknown;
    try {
      parseMarble(withInput('-a'), 'folder/f.txt');
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'malformed-marble', file: 'folder/f.txt', line: 1 });
  });
});
