import { delay, from, map, Observable, of, scan, switchMap, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { parseMarble } from '../../src/testing/marble/grammar/parse-marble.js';
import { assertMarble } from '../../src/testing/marble/run/assert-marble.js';
import type { MarbleOperators } from '../../src/testing/marble/run/marble-operator.js';
import { runMarble } from '../../src/testing/marble/run/run-marble.js';

// Wrong tests, each of a kind that RxJS's TestScheduler lets pass or cannot judge. The strict runner must refuse
// every one of them; the right marble beside it shows that it is refused for this reason alone.

interface Total {
  sum: number;
}
const counted = new Map<string, number>();

const operators: MarbleOperators = {
  same: () => map((value: unknown) => value),
  mutates: () =>
    scan(
      (total: Total, n: number) => {
        total.sum += n;
        return total;
      },
      { sum: 0 },
    ),
  copies: () => scan((total: Total, n: number) => ({ sum: total.sum + n }), { sum: 0 }),
  mutatesMap: () => scan((seen: Map<string, number>, n: number) => seen.set(String(n), n), counted),
  changesInput: () => map((value: { list: number[] }) => value.list.push(1)),
  hidesIn: () =>
    scan((box: Box, n: number) => {
      box.items.push(n);
      return box;
    }, new Box()),
  dateNow: () => map(() => Date.now() - Date.now()),
  newDate: () => map(() => new Date().getTime() * 0),
  performanceNow: () => map(() => performance.now() * 0),
  aDate: () => map(() => new Date(0).toISOString()),
  setTimeout: () =>
    switchMap(
      () =>
        new Observable<number>((out) => {
          const timer = setTimeout(() => out.next(1), 0);
          return () => clearTimeout(timer);
        }),
    ),
  swallowed: () =>
    map(() => {
      try {
        setTimeout(() => undefined, 0);
      } catch {
        return 1;
      }
      return 1;
    }),
  microtask: () => switchMap(() => new Observable<number>((out) => queueMicrotask(() => out.next(1)))),
  nextTick: () => switchMap(() => new Observable<number>((out) => process.nextTick(() => out.next(1)))),
  promise: () => switchMap(() => from(Promise.resolve(1))),
  async: () => switchMap(async () => Promise.resolve(1)),
  timer: () => switchMap((value: number) => timer(1).pipe(map(() => value))),
  delay: () => delay(2),
  of: () => ({ out: of(1) }),
};

class Box {
  readonly items: number[] = [];
}

const check = (text: string): void => assertMarble(text, 'f.txt', operators);
const failure = (text: string): string => {
  try {
    check(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
};

describe('a marble that must fail - what TestScheduler lets pass', () => {
  it('a letter without a value, on both sides', () => {
    expect(() => {
      new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
        ({ hot, expectObservable }) => {
          expectObservable(hot('-a-', {})).toBe('-z-', {});
        },
      );
    }).not.toThrow();
    expect(failure('-a-\n> same\n-z-')).toContain('f.txt:1: column 1: a is not bound');
    expect(failure('-a-\na := 1\n> same\n-z-')).toContain('f.txt:4: column 1: z is not bound');
    expect(failure('-a-\na := 1\n> same\n-z-\nz := 1')).toBe('');
  });

  it('an output that is not compared', () => {
    expect(failure('-a-\na := 1\n> same')).toContain('there is no expected output');
    expect(failure('-a-\na := 1\n> same\n---')).toContain('unexpected: A in column 1');
  });

  it('nothing at all', () => {
    expect(failure('')).toContain('there is no operator');
    expect(failure('% A story without a test.')).toContain('there is no operator');
  });

  it('a unit that does not exist', () => {
    expect(failure('1h a|\n> same\n1h a|')).toContain('"1" is not allowed in a row');
    expect(failure('% tick: 1h\na|\na := 1\n> same\na|\na := 1')).toContain('"1h" is not a valid tick');
    expect(failure('% tick: 1s\na|\na := 1\n> same\na|\na := 1')).toBe('');
  });

  it('a reducer that changes its state in place, and expected values that hold the last one', () => {
    const text = 'ab\na := 1\nb := 1\n> mutates\nxy\nx := {"sum":2}\ny := {"sum":2}';
    expect(failure(text)).toContain('value differs in column 0');
    const first = 'ab\na := 1\nb := 1\n> mutates\nxy\nx := {"sum":1}\ny := {"sum":2}';
    expect(failure(first)).toContain('"name":"TypeError"');
    expect(failure(first.replace('mutates', 'copies'))).toBe('');
  });

  it('the same with a Map, which freezing does not protect', () => {
    counted.clear();
    const text = 'ab\na := 1\nb := 2\n> mutatesMap\nxy\nx := {"1":1}\ny := {"1":1,"2":2}';
    expect(failure(text)).toContain('set() changes a value that was already emitted');
  });

  it('the same behind a class, which is not frozen: values are compared as they were emitted, and again at the end', () => {
    const text = 'ab\na := 1\nb := 2\n> hidesIn\nxy\nx := {"items":[1]}\ny := {"items":[1,2]}';
    expect(failure(text)).toContain('changed after it was emitted: x became {"items":[1,2]}');
  });

  it('code that changes its input', () => {
    expect(failure('a\na := {"list":[]}\n> changesInput\nb\nb := 1')).toContain('"name":"TypeError"');
  });

  it('two runs that share a scheduler', () => {
    const marble = parseMarble('-a|\na := 1\n> delay\n---(a|)\na := 1', 'f.txt');
    expect([runMarble(marble, operators).passed, runMarble(marble, operators).passed]).toEqual([true, true]);
  });

  it('a value one tick behind a group, which a group’s width covers', () => {
    expect(failure('(ab)c\na := 1\nb := 2\nc := 3\n> same\n(ab)c\na := 1\nb := 2\nc := 3')).toBe('');
    const narrow = '(ab)\na := 1\nb := 2\n> timer\n-(ab)\na := 1\nb := 2';
    expect(failure(narrow)).toContain('missing: a in column 1');
    expect(failure('a\na := 1\n> same\n-a\na := 1')).toContain(
      'right value at the wrong time: a was expected in column 1, and was emitted in column 0',
    );
  });
});

describe('a marble that must fail - real time in the code under test', () => {
  const used = (operator: string): string => failure(`a\na := 1\n> ${operator}\nb\nb := 1`);
  it.each([
    ['dateNow', 'Date.now'],
    ['newDate', 'new Date()'],
    ['performanceNow', 'performance.now'],
    ['setTimeout', 'setTimeout'],
    ['swallowed', 'setTimeout'],
    ['microtask', 'queueMicrotask'],
    ['nextTick', 'process.nextTick'],
    ['promise', 'Promise'],
    ['async', 'Promise'],
  ])('%s', (operator, name) => {
    expect(used(operator)).toContain(`  - ${name} was used, which is real time`);
  });

  it('RxJS timers and computed dates are allowed', () => {
    expect(failure('a\na := 1\n> timer\n-a\na := 1')).toBe('');
    expect(failure('a\na := 1\n> aDate\nb\nb := "1970-01-01T00:00:00.000Z"')).toBe('');
  });

  it('restores everything after the run', async () => {
    const globals = (): unknown[] => [
      ...[Date, setTimeout, setInterval, setImmediate, queueMicrotask],
      ...[Reflect.get(Date, 'now'), Reflect.get(performance, 'now'), Reflect.get(process, 'nextTick')],
      Reflect.get(Promise.prototype, 'then'),
    ];
    const before = globals();
    used('dateNow');
    used('promise');
    expect(globals()).toEqual(before);
    expect(Date.now()).toBeGreaterThan(1e12);
    await expect(Promise.resolve(2).then((n) => n * 2)).resolves.toBe(4);
  });
});

describe('a marble that must fail - extra output', () => {
  it('an output with its own end, where the row expects none', () => {
    expect(failure('> of\na\na := 1\ntitle = out')).toContain('unexpected: the end in column 0');
    expect(failure('> of\n(a|)\na := 1\ntitle = out')).toBe('');
  });

  it('a value that comes after the last column', () => {
    expect(failure('a\na := 1\n> delay\n-')).toContain('unexpected: A in column 2');
  });
});
