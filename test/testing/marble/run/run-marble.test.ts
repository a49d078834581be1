import {
  asyncScheduler,
  delay,
  filter,
  interval,
  map,
  merge,
  NEVER,
  Observable,
  observeOn,
  of,
  repeat,
  retry,
  scan,
  switchMap,
  takeUntil,
  throwError,
  timer,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MarbleError } from '../../../../src/testing/marble/grammar/marble.js';
import { parseMarble } from '../../../../src/testing/marble/grammar/parse-marble.js';
import { assertMarble } from '../../../../src/testing/marble/run/assert-marble.js';
import type { MarbleOperators } from '../../../../src/testing/marble/run/marble-operator.js';
import type { MarbleResult } from '../../../../src/testing/marble/run/marble-result.js';
import { runMarble } from '../../../../src/testing/marble/run/run-marble.js';

const same = (): OperatorFunction<unknown, unknown> => map((value) => value);
const operators: MarbleOperators = {
  same,
  plus: ([n]) => map((value: number) => value + Number(n)),
  above: ([n]) => filter((value: number) => value > Number(n)),
  later: ([ms], { scheduler }) => delay(Number(ms), scheduler),
  async: () => observeOn(asyncScheduler),
  again: () => retry(1),
  until: (_, { inputs }) => ({ output: inputs['values']?.pipe(takeUntil(inputs['stop'] ?? NEVER)) ?? NEVER }),
  latest: (_, { inputs }) => ({ output: inputs['a']?.pipe(switchMap(() => inputs['b'] ?? NEVER)) ?? NEVER }),
  both: (_, { inputs }) => ({ left: inputs['a'] ?? NEVER, right: inputs['b'] ?? NEVER, odd: timer(0) }),
  ticks: ([ms]) => ({ ticks: interval(Number(ms)) }),
  waits: ([ms]) => ({ done: timer(Number(ms)) }),
  spins: () => ({ never: of(1).pipe(repeat()) }),
  times: (_, { scheduler }) => map(() => [scheduler.now(), asyncScheduler.now()]),
  bad: () => {
    throw new Error('it takes a number.');
  },
};

const run = (...lines: string[]): MarbleResult =>
  runMarble(parseMarble(lines.join('\n'), 'f.txt'), operators);
const reasons = (...lines: string[]): string[] => {
  const { outputs, subscriptions, reasons: own } = run(...lines);
  return [...own, ...[...outputs, ...subscriptions].flatMap((part) => part.reasons)];
};

describe('runMarble - holds', () => {
  it.each([
    ['values and the end', ['-a-b-|', 'a := 1', 'b := 2', '> same', '-a-b-|', 'a := 1', 'b := 2']],
    ['an error with its value', ['-#', '# := {"code":1}', '> same', '-#', '# := {"code":1}']],
    [
      'groups, and what follows them',
      ['-(ab)-|', 'a := 1', 'b := 2', '> same', '-(ab)-|', 'a := 1', 'b := 2'],
    ],
    [
      'operators one after the other',
      ['-a-b', 'a := 1', 'b := 2', '> above(1)', '> plus(3)', '---c', 'c := 5'],
    ],
    ['a tick of any length', ['% tick: 10ms', '-a-|', 'a := 1', '> later(20)', '---(a|)', 'a := 1']],
    ['schedulers of RxJS in virtual time', ['-a-', 'a := 1', '> async', '-a-', 'a := 1']],
    ['the time of both', ['% tick: 1s', '--a', 'a := 1', '> times', '--t', 't := [2000, 2000]']],
    ['keys in any order', ['a', 'a := {"x":1,"y":[2]}', '> same', 'a', 'a := {"y":[2],"x":1}']],
    ['64-bit integers', ['a', 'a := 18446744073709551615', '> same', 'a', 'a := 18446744073709551615']],
    ['silence', ['---', '> same', '---']],
    ['values long after the last column', ['> waits(50)', `${'-'.repeat(50)}(a|)`, 'a := 0', 'title = done']],
    [
      'a wait of minutes',
      ['% tick: 1s', '> waits(150000)', `${'-'.repeat(150)}(a|)`, 'a := 0', 'title = done'],
    ],
  ])('%s', (_, lines) => {
    expect(reasons(...lines)).toEqual([]);
  });

  it('several inputs and outputs; one that is not named is not watched', () => {
    const inputs = ['-a', 'title = a', 'a := 1', '--b', 'title = b', 'b := 2', '> both'];
    expect(reasons(...inputs, '--b', 'title = right', 'b := 2', '-a', 'title = left', 'a := 1')).toEqual([]);
    expect(reasons(...inputs, '--b', 'title = right', 'b := 2')).toEqual([]);
    expect(reasons(...inputs, '--c', 'title = right', 'c := 3')).toHaveLength(1);
  });

  it('within a column, inputs emit in the order of the file, whatever their titles', () => {
    const rows = (kind: string): string[] => [
      ...['--b', 'title = 2', `kind = ${kind}`, 'b := 2', '--a', 'title = 1', `kind = ${kind}`, 'a := 1'],
      ...['> same', '--(ba)', 'a := 1', 'b := 2'],
    ];
    expect(reasons(...rows('cold'))).toEqual([]);
    expect(reasons(...rows('hot').filter((row) => row !== 'kind = hot'))).toEqual([]);
  });

  it('a hot input loses values before the subscription, a cold one starts again', () => {
    const a = ['---x', 'title = a', 'x := 0'];
    expect(
      reasons(...a, '-bc-d', 'title = b', 'b := 1', 'c := 2', 'd := 3', '> latest', '----d', 'd := 3'),
    ).toEqual([]);
    const cold = ['-b', 'title = b', 'b := 1', 'kind = cold', '> latest'];
    expect(reasons(...a, ...cold, '----b', 'b := 1')).toEqual([]);
  });

  it('an output is watched for the time in its row', () => {
    expect(reasons('> ticks(3)', '----a--b--', 'title = ticks', 'a := 0', 'b := 1', '-^--------!')).toEqual(
      [],
    );
    expect(reasons('> ticks(3)', '---', 'title = ticks', '-(^!)')).toEqual([]);
  });

  it('runs of one file are independent', () => {
    const lines = ['-a-|', 'a := 1', '> later(1)', '--a|', 'a := 1'];
    expect([reasons(...lines), reasons(...lines)]).toEqual([[], []]);
  });

  it('what is read and what is emitted is frozen', () => {
    const seen: unknown[] = [];
    const spy: MarbleOperators = {
      spy: () => (source$: Observable<unknown>) =>
        source$.pipe(map((value) => (seen.push(value), { inner: [value], set: new Set([1]) }))),
    };
    const text = 'a\na := {"deep":[{}]}\n> spy\na\na := {"inner":[{"deep":[{}]}],"set":[1]}';
    const result = runMarble(parseMarble(text, 'f'), spy);
    expect(result.passed).toBe(true);
    const [input] = seen as [{ deep: object[] }];
    const emitted = result.outputs[0]?.emissions[0]?.value as { inner: unknown[]; set: Set<number> };
    expect([input, input.deep, input.deep[0], emitted, emitted.inner].every(Object.isFrozen)).toBe(true);
    expect(() => emitted.set.add(2)).toThrow('add() changes a value that was already emitted');
  });
});

describe('runMarble - compares subscriptions', () => {
  const inputs = (...rows: string[]): string[] => [
    ...['-a---b', 'title = values', 'a := 1', 'b := 2', ...rows],
    ...['---x', 'title = stop', 'x := 0', '^--!', '> until', '-a-|', 'a := 1'],
  ];

  it('as expected, and not', () => {
    expect(reasons(...inputs('^--!'))).toEqual([]);
    expect(reasons(...inputs('^-!'))).toEqual(['subscription 1 is ^--!, not ^-!']);
    expect(reasons(...inputs('^'))).toEqual(['subscription 1 is ^--!, not ^']);
    expect(reasons(...inputs('^--!', '---^'))).toEqual(['expected 2 subscriptions, got 1']);
  });

  it('one after the other', () => {
    const cold = ['-#', 'kind = cold', '# := 1', '^!', '-^!', '> again', '--#', '# := 1'];
    expect(reasons(...cold)).toEqual([]);
  });
});

describe('runMarble - gives the reason', () => {
  const input = ['-a-b-|', 'a := {"n":1}', 'b := {"n":2}', '> same'];
  const names = ['a := {"n":1}', 'b := {"n":2}'];
  it.each([
    [
      'right value at the wrong time',
      ['--ab-|', ...names],
      ['right value at the wrong time: a was expected in column 2, and was emitted in column 1'],
    ],
    [
      'value differs',
      ['-a-b-|', 'a := {"n":1}', 'b := {"n":3}'],
      ['value differs in column 3: expected b, got A; .n is 2, not 3'],
    ],
    ['missing', ['-aab-|', ...names], ['missing: a in column 2']],
    ['unexpected', ['-a---|', names[0]], ['unexpected: A in column 3']],
    [
      'the end is missing',
      ['-a-b--|', ...names],
      ['right value at the wrong time: the end was expected in column 6, and was emitted in column 5'],
    ],
    ['an end that was not expected', ['-a-b--', ...names], ['unexpected: the end in column 5']],
    [
      'an error that was expected',
      ['-a-b-#', ...names, '# := 1'],
      ['missing: the error in column 5', 'unexpected: the end in column 5'],
    ],
    [
      'group as wide as its text',
      ['-(ab)|', ...names],
      ['right value at the wrong time: b was expected in column 1, and was emitted in column 3'],
    ],
    [
      'nothing as expected',
      ['---'],
      ['unexpected: A in column 1', 'unexpected: B in column 3', 'unexpected: the end in column 5'],
    ],
  ])('%s', (_, rows, expected) => {
    expect(reasons(...input, ...rows.filter((row) => row !== undefined))).toEqual(expected);
  });

  it('wrong order in a column', () => {
    const lines = ['-(ab)', 'a := 1', 'b := 2', '> same', '-(ba)', 'a := 1', 'b := 2'];
    expect(reasons(...lines)).toEqual(['wrong order in column 1: expected ba, got ab']);
  });

  it('another error', () => {
    expect(reasons('-#', '# := {"code":1}', '> same', '-#', '# := {"code":2}')).toEqual([
      'value differs in column 1: the error is {"code":1}, not {"code":2}; .code is 1, not 2',
    ]);
  });

  it('between two columns', () => {
    expect(reasons('% tick: 10ms', '-a', 'a := 1', '> later(5)', '-a', 'a := 1')).toEqual([
      'right value at the wrong time: a was expected in column 1, and was emitted at 15 ms, between columns 1 and 2',
    ]);
  });

  it('a number is not a text, and undefined equals no JSON', () => {
    const nothing: MarbleOperators = { nothing: () => map(() => undefined), text: () => map(String) };
    const judge = (text: string): boolean => runMarble(parseMarble(text, 'f'), nothing).passed;
    expect(judge('a\na := 1\n> text\na\na := "1"')).toBe(true);
    expect(judge('a\na := 1\n> text\na\na := 1')).toBe(false);
    expect(judge('a\na := 1\n> nothing\na\na := null')).toBe(false);
  });
});

describe('runMarble - refuses a call that cannot be made', () => {
  it.each([
    [
      'an operator that does not exist',
      ['-', '> toString', '-'],
      'f.txt:2: there is no operator toString; the operators are above, again',
    ],
    [
      'one that refuses its arguments',
      ['-', '> bad', '-'],
      'f.txt:2: bad cannot be built: it takes a number.',
    ],
    [
      'an output that does not exist',
      ['> ticks(1)', '-', 'title = tocks'],
      'f.txt:2: the operator has no output "tocks"; its outputs are ticks',
    ],
    [
      'a second row for one output',
      ['-', '> same', '-', 'title = a', '-', 'title = b'],
      'f.txt:5: the operator has one output',
    ],
  ])('%s', (_, lines, message) => {
    expect(() => run(...lines)).toThrow(MarbleError);
    expect(() => run(...lines)).toThrow(message);
  });

  it('a letter that the operator cannot read, at the line of its binding', () => {
    const picky: MarbleOperators = {
      picky: {
        read: (value) => {
          if (typeof value !== 'number') throw new Error('a number is needed.');
          return value * 2;
        },
        build: () => map((value: number) => value + 1),
      },
    };
    assertMarble('a\na := 1\n> picky\nb\nb := 3', 'f.txt', picky);
    expect(() => assertMarble('a\na := []\n> picky\nb\nb := 3', 'f.txt', picky)).toThrow(
      'f.txt:2: a: a number is needed.',
    );
  });
});

describe('runMarble - notices endless runs', () => {
  const endless = 'the run does not end; limit the time of an output with a row ^---! below it';
  it('a timer, and a loop without time', () => {
    expect(reasons('> ticks(1000)', '---', 'title = ticks')).toContain(endless);
    expect(reasons('> spins', '---', 'title = never')).toContain(endless);
    // A thousand values and the end of the record: a loop is stopped before it uses up the memory.
    expect(run('> spins', '---', 'title = never').outputs[0]?.emissions).toHaveLength(1001);
  });

  it('and exceptions outside of the streams', () => {
    const broken: MarbleOperators = {
      broken: (_, { scheduler }) => ({
        out: brokenBy(scheduler),
        also: throwError(() => new Error('not watched')),
        all: merge(),
      }),
    };
    const result = runMarble(parseMarble('> broken\n-\ntitle = out', 'f'), broken);
    expect(result.passed).toBe(false);
    expect(result.reasons).toEqual(['an exception outside of the streams: Error: lost']);
  });

  const brokenBy = (scheduler: SchedulerLike): Observable<never> =>
    new Observable(() =>
      scheduler.schedule(() => {
        throw new Error('lost');
      }, 1),
    );
});

describe('assertMarble', () => {
  it('throws the failure text, with a code', () => {
    const sums: MarbleOperators = { sum: () => scan((a: number, b: number) => a + b) };
    const text = 'aa\na := 1\n> sum\nab\na := 1\nb := 3';
    expect(() => assertMarble(text, 'f.txt', sums)).toThrow(
      'f.txt:4: output is not as expected\n\n  expected  ab\n  actual    aA',
    );
    expect(() => assertMarble(text.replace('b := 3', 'b := 2'), 'f.txt', sums)).not.toThrow();
  });
});
