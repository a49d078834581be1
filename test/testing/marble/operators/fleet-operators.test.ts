import { describe, expect, it } from 'vitest';
import { fleetOperators } from '../../../../src/testing/marble/operators/fleet-operators.js';
import { fleetEventOf } from '../../../../src/testing/marble/operators/reducer-operators.js';
import { MarbleError } from '../../../../src/testing/marble/grammar/marble.js';
import { assertMarble } from '../../../../src/testing/marble/run/assert-marble.js';

const load = (tokens: number): string =>
  `{"kind":"load","workerId":7,"dpRank":0,"activePrefillTokens":${tokens}}`;
const model = (args = ''): string => `> model(${args})`;
const startArgs = "{ policy: 'dynamo-1.0', thresholds: { activePrefillTokensThreshold: 10 } }";
const check = (...lines: string[]): void => assertMarble(lines.join('\n'), 'f.txt', fleetOperators());

describe('model', () => {
  const input = ['a-b-b-a-', `a := ${load(11)}`, `b := ${load(9)}`, model(startArgs)];

  it('busy - the initial, empty set, then each one that differs', () => {
    check(...input.with(0, '-a--b---a-'), 'yx--y---x-', 'title = busy', 'x := ["7"]', 'y := []');
    check(...input.toSpliced(0, 2, '--b-b---'), 'y-------', 'title = busy', 'y := []');
  });

  it('transitions - one for each worker whose state changed', () => {
    const between = (from: string, to: string): string => JSON.stringify({ workerId: '7', from, to });
    const [yes, no] = [`x := ${between('free', 'busy')}`, `y := ${between('busy', 'free')}`];
    check(...input, 'x-y---x-', 'title = transitions', yes, no);
  });

  it('merges all inputs in the order of the file', () => {
    const both = ['--b', 'title = b', `b := ${load(9)}`, '--a', 'title = a', `a := ${load(11)}`];
    check(...both, model(startArgs), 'y-x', 'title = busy', 'x := ["7"]', 'y := []');
    check(
      ...both.slice(3),
      ...both.slice(0, 3),
      model(startArgs),
      'y-(xy)',
      'title = busy',
      'x := ["7"]',
      'y := []',
    );
  });

  it('cleanups and problems', () => {
    const text = ['t-i-(cab)-g', 't := {"kind":"load","workerId":1,"topic":"kv-hits"}'];
    const events = [
      'i := {"kind":"decodeInstances","workerIds":[18446744073709551615]}',
      'c := {"kind":"configs","workers":{"18446744073709551615":{"totalKvBlocks":10}}}',
      'a := {"kind":"load","workerId":18446744073709551615}',
      'b := {"kind":"configError"}',
      'g := {"kind":"decodeInstances","workerIds":[]}',
    ];
    const cleanup = '{"workerId":"18446744073709551615","dpRanks":[0,"none"],"workerType":"decode"}';
    const outputs = ['----------x', 'title = cleanups', `x := ${cleanup}`];
    const problems = ['x---y------', 'title = problems', 'x := "foreign-topic"', 'y := "source-error"'];
    check(...text, ...events, model(), ...outputs, ...problems);
  });

  it('subscribes to the inputs once, however many outputs are watched', () => {
    const [row = '', ...rest] = input;
    check(
      `-${row}`,
      '^',
      ...rest,
      'yx-y---x-',
      'title = busy',
      'x := ["7"]',
      'y := []',
      '---------',
      'title = cleanups',
    );
  });

  it('the start is an argument', () => {
    const held = ['a--i', `a := ${load(11)}`, 'i := {"kind":"instance","workerId":7,"present":true}'];
    const start = '{ decodeInstances: [], thresholds: { activePrefillTokensThreshold: 10 } }';
    check(...held, model(start), 'y--x', 'title = busy', 'x := ["7"]', 'y := []');
  });

  it.each([
    ["'default'", 'f.txt:3: model cannot be built: it takes one object'],
    ['{}, {}', 'it takes one object'],
    ["{ policy: 'dynamo-9' }", 'There is no policy "dynamo-9": choose one of dynamo-0.8'],
    ['{ policy: 9 }', 'policy must be a name'],
    ['{ treshold: 1 }', 'a start has no field treshold'],
    ['{ thresholds: { activeDecodeBlocks: 1 } }', 'a start has no field thresholds.activeDecodeBlocks'],
    ['{ decodeInstances: [-1] }', 'is not a valid worker id'],
  ])('refuses %s', (args, message) => {
    const text = ['a', `a := ${load(11)}`, model(args), '-', 'title = busy'];
    expect(() => check(...text)).toThrow(message);
  });
});

describe('steps, and the operators below', () => {
  const input = ['-a-b-', `a := ${load(11)}`, `b := ${load(9)}`, `> steps(${startArgs})`];

  it('a step is its time and its busy workers', () => {
    const steps = ['w := {"at":0,"busy":[]}', 'x := {"at":1,"busy":["7"]}', 'y := {"at":3,"busy":[]}'];
    check(...input, 'wx-y-', ...steps);
  });

  it('subscribers - each on its own, unless they share', () => {
    const [x, y] = ['x := ["7"]', 'y := []'];
    const alone = ['yx-y-', 'title = first', x, y, '--y--', 'title = second', '--^', y];
    check(...input.toSpliced(1, 0, '^', '--^'), '> busySets()', '> subscribers()', ...alone);
    const shared = ['yx-y-', 'title = first', x, y, '---y-', 'title = second', '--^', y];
    check(...input.toSpliced(1, 0, '^'), '> share()', '> busySets()', '> subscribers()', ...shared);
  });

  it.each(['busySets', 'transitions', 'cleanups', 'problems'])(
    '%s - takes steps alone, and no arguments',
    (name) => {
      expect(() => check(...input.slice(0, 3), `> ${name}()`, '-')).toThrow(`${name} takes steps`);
      expect(() => check(...input, `> ${name}(1)`, '-')).toThrow('it takes no arguments');
    },
  );
});

describe('operators one below the other', () => {
  const names = Object.keys(fleetOperators());
  const pairs = names.flatMap((above) => names.map((below) => [above, below] as const));
  const letters = [load(11), '{"16": 40}', '{"workerId":7,"dpRanks":[0],"workerType":"decode"}', '7'];
  const named = ['model', 'reduceFleet', 'loadMonitor', 'performCleanup', 'metricsAggregator', 'subscribers'];

  it.each(pairs)('%s, and below it %s - a result, or a sentence for the user', (above, below) => {
    for (const letter of letters) {
      for (const title of ['title = busy', '', 'title = first', 'title = endpoints']) {
        const text = ['-a-', 'title = loads', `a := ${letter}`, `> ${above}`, `> ${below}`, '---', title];
        try {
          check(...text);
        } catch (error) {
          expect(error).toBeInstanceOf(MarbleError);
          expect(String(error)).not.toMatch(/TypeError|undefined|not a function|not iterable/);
        }
      }
    }
  });

  it.each(named)('%s has named outputs, so no operator can be below it', (above) => {
    for (const below of names) {
      const text = ['---', 'title = loads', `> ${above}`, `> ${below}`, '---'];
      expect(() => check(...text)).toThrow(
        new RegExp(
          `^f.txt:4: ${below} cannot be below ${above}, which has the outputs \\w+, .*write an operator with one`,
        ),
      );
    }
  });

  it.each(named)('%s - names its outputs when a row names another one', (name) => {
    expect(() => check('---', 'title = loads', `> ${name}`, '---', 'title = nothing')).toThrow(
      /the operator has no output "nothing"; its outputs are \w+, /,
    );
  });
});

describe('performCleanup', () => {
  const cleanup = '{"workerId":7,"dpRanks":[0],"workerType":"decode"}';
  const perform = (args: string, letter = cleanup): string[] => [
    ...['-a-', `a := ${letter}`, `> performCleanup(${args})`],
    ...['-x-', 'title = first', 'x := {"workerId":"7","ok":true}'],
  ];

  it('a sink that is done at once', () => {
    check(...perform(''));
    check(...perform("{ takes: 0, failsFor: ['8'] }"));
  });

  it.each([
    ['3', cleanup, 'it takes one object'],
    ['{ take: 3 }', cleanup, 'unknown option take; the options are takes, failsFor'],
    ["{ takes: '3' }", cleanup, 'takes must be a number of milliseconds'],
    ['{ failsFor: [7] }', cleanup, 'failsFor must be a list of worker ids'],
    ['{ failsFor: "7" }', cleanup, 'failsFor must be a list of worker ids'],
    ['', '{"workerId":7,"dpRanks":[0],"workerType":"both"}', 'this is not a cleanup: workerType must be'],
    ['', '7', 'this is not a cleanup'],
  ])('refuses %s of %s', (args, letter, message) => {
    expect(() => check(...perform(args, letter))).toThrow(message);
  });
});

describe('fleetEventOf', () => {
  it('reads the JSON of a recording, ids as numbers of any size or as text', () => {
    const event = {
      kind: 'load',
      workerId: '18446744073709551615',
      dpRank: 0,
      activeDecodeBlocks: 2n ** 60n,
    };
    const rest = { activePrefillTokens: null, kvUsedBlocks: null };
    expect(fleetEventOf({ ...event, workerId: 18446744073709551615n })).toEqual({ ...event, ...rest });
    expect(
      fleetEventOf({ kind: 'config', workerId: 1, config: { totalKvBlocks: null, dataParallelSize: 2 } }),
    ).toEqual({
      kind: 'config',
      workerId: '1',
      config: { dataParallelSize: 2 },
    });
  });

  it.each([
    [
      { kind: 'load', workerId: 1, activePrefilTokens: 9 },
      'an event of kind load has no field activePrefilTokens',
    ],
    [{ kind: 'configs', workers: { 7: { totalBlocks: 1 } } }, 'has no field workers.7.totalBlocks'],
    [
      {
        kind: 'schedulerLoads',
        loads: [{ workerId: 1, activeDecodeBlocks: 0, activePrefillTokens: 0, rank: 1 }],
      },
      'loads.0.rank',
    ],
    [{ kind: 'stop', now: true }, 'an event of kind stop has no field now'],
    [{ kind: 'start' }, 'is only for recordings'],
    [{ kind: 'message', payloadHex: '00' }, 'is only for recordings'],
    [{ kind: 'lod' }, 'this is not an event: "lod" is not a known kind of event'],
    [{ kind: 'load', workerId: 1.5 }, 'this is not an event'],
    ['load', 'this is not an event: event must be an object'],
    [null, 'this is not an event'],
  ])('refuses %j', (value, message) => {
    expect(() => fleetEventOf(value)).toThrow(message);
  });
});
