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

  it('integers of any size, without losing a digit', () => {
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

  it('what swirly calls a single stream, without titles, in lines of either kind', () => {
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

/** A file with one line, or some lines, of it replaced. */
const withInput = (...lines: string[]): string => [...lines, '> x', '-'].join('\n');
const withCall = (call: string): string => `-\n${call}\n-`;
const withOutput = (...lines: string[]): string => ['-', '> x', ...lines].join('\n');

describe('parseMarble - refuses, and says where and what to do', () => {
  it.each([
    [
      'an unbound letter',
      withInput('-a'),
      'f:1: column 1: a is not bound; say what it stands for in a line "a := JSON"',
    ],
    ['an unbound error', withInput('-#'), 'f:1: column 1: # is not bound'],
    [
      'an unused binding',
      withInput('-a', 'a := 1', 'b := 2'),
      'f:3: b is bound, but does not stand in the row of line 1',
    ],
    ['a letter bound twice', withInput('a', 'a := 1', 'a := 1'), 'f:3: a is bound twice'],
    ['a binding of two letters', withInput('ab', 'ab := 1'), 'f:2: "ab" is no letter'],
    ['what is no JSON', withInput('a', "a := 'x'"), 'f:2: what a is bound to is no JSON'],
    ['nothing bound', withInput('a', 'a :='), 'f:2: what a is bound to is no JSON'],
    ['a repeated key', withInput('a', 'a := {"k":1,"k":2}'), 'duplicate key "k"'],
    ['a binding without a row', withInput('a := 1'), 'f:1: this belongs below the row of a stream'],
    ['digits', withInput('-1-'), 'f:1: column 1: "1" is no character of a row; a column is one tick'],
    [
      'a time in a row',
      withInput('a 10ms b'),
      'f:1: column 1: " " is no character of a row; a column is one tick',
    ],
    ['another character', withInput('-*-'), '"*" is no character of a row; it holds - for a tick'],
    ['an emoji, in its column', withInput('-🙂-'), 'f:1: column 1: "🙂"'],
    ['an indented row', withInput(' -a', 'a := 1'), 'f:1: the line is indented'],
    ['a value after the end', withInput('-|a'), 'f:1: column 2: "a" follows the end'],
    ['time after the end', withInput('-|-'), 'f:1: column 2: "-" follows the end'],
    ['a second end', withInput('(||)'), 'f:1: column 2: "|" follows the end'],
    ['a group in a group', withInput('((a)'), 'a group stands in a group'],
    ['time in a group', withInput('(a-b)'), 'a dash stands in a group'],
    ['an empty group', withInput('--()'), 'f:1: column 3: a group holds nothing'],
    ['a group that is not closed', withInput('-(a'), 'f:1: column 1: a group is not closed'],
    ['a group that was not opened', withInput('-a)'), 'a group is closed that was not opened'],
    ['a section of styles', withInput('[styles]'), '"[" is no character of a row'],
    ['an inner stream', withInput('-', 'x = --a--|'), '"x = --a--|" is no setting here'],
    ['a second title', withInput('-', 'title = a', 'title = b'), 'f:3: this stream has a title already'],
    ['an unknown kind', withInput('-', 'kind = warm'), '"kind = warm" is no setting here'],
    ['a cold output', withOutput('-', 'kind = cold'), '"kind = cold" is no setting here'],
    [
      'a duplicate title',
      withInput('-', 'title = a', '-', 'title = a'),
      'f:3: a second stream is called "a"',
    ],
    ['a second stream without title', withOutput('-', '-'), 'f:4: a second stream is called "output"'],
    ['no operator', '--', 'f:1: there is no operator'],
    ['nothing expected', '-\n> x', 'f:2: nothing is expected; write at least one row'],
    ['an empty file', '', 'there is no operator'],
    ['an operator below a row', '-\n> x\n-\n> y\n', 'f:4: an operator stands below an expected row'],
    ['an unknown unit', '% tick: 1h\n' + withInput('-'), 'f:1: "1h" is no tick'],
    ['a tick of nothing', '% tick: 0ms\n' + withInput('-'), '"0ms" is no tick'],
    ['a tick without unit', '% tick: 10\n' + withInput('-'), '"10" is no tick'],
    ['a second tick', '% tick: 1ms\n% tick: 1ms\n' + withInput('-'), 'f:2: the tick is set twice'],
    ['a directive by another name', '%Ticks: 1ms\n' + withInput('-'), 'there is no directive "Ticks"'],
    ['a rule without id', '% rule:\n' + withInput('-'), 'a rule has no id'],
    ['a rule named twice', '% rule: a\n% rule: a\n' + withInput('-'), 'f:2: the rule a stands twice'],
    ['a second ^', withInput('-', '^-^'), 'f:2: column 2: a second ^ stands in the row'],
    ['an end before ^', withInput('-', '!^'), 'an end stands before the beginning'],
    [
      'values in a row of subscriptions',
      withInput('-', '-^-a'),
      '"a" is no character of a row of subscriptions',
    ],
    ['what follows !', withInput('-', '^!-'), 'something follows the end of the subscription'],
    [
      'subscriptions in a group that is not closed',
      withInput('-', '-(^'),
      'f:2: column 1: a group is not closed',
    ],
    ['two times of watching', withOutput('-', '^-!', '^--!'), 'f:5: an output is watched once'],
    ['an ! without ^', withInput('-!'), '"!" is no character of a row of values'],
    [
      'an operator without name',
      withCall('> (1)'),
      'f:2: column 2: the name of an operator belongs where "(" stands',
    ],
    [
      'brackets that are not closed',
      withCall('> x(1, [2'),
      'f:2: column 9: a comma or ] belongs where the line ends',
    ],
    ['a text that is not closed', withCall("> x('a)"), 'the text here is not closed'],
    ['a variable', withCall('> x({ policy: policies })'), 'policies is no value; a name stands in quotes'],
    ['a missing comma', withCall('> x(1 2)'), 'a comma or ) belongs where "2" stands'],
    ['a missing colon', withCall('> x({ a 1 })'), 'a colon belongs where "1" stands'],
    ['a key that stands twice', withCall('> x({ a: 1, "a": 2 })'), 'the key "a" stands twice'],
    ['an arrow function', withCall('> map((x) => x)'), 'a value belongs where "(" stands'],
    ['more after the operator', withCall('> x() y'), 'the end of the line belongs where "y" stands'],
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
