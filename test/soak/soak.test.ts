import { describe, expect, it } from 'vitest';
import { help, soakOptions } from './options.js';
import { breaches, type SoakResult } from './soak-result.js';
import { soakTable } from './soak-table.js';

const good: SoakResult = {
  system: 'etcd',
  seed: 1,
  seconds: 180,
  faults: [{ kind: 'half-open, both directions', count: 2, detectMs: [8_000, 9_100], healMs: [40, 50] }],
  written: 1_000,
  finalWrong: 0,
  lost: 12,
  lostCompacted: 9,
  lostReplaced: 3,
  outOfOrder: 0,
  toldTwice: 0,
  resyncs: 2,
  leaks: [],
  unhandled: [],
  tooRare: [],
};

describe('the soak', () => {
  it('holds where everything that was lost is excused, and prints what it measured', () => {
    expect(breaches(good)).toEqual([]);
    const table = soakTable(good);
    expect(table).toContain('half-open noticed within   9.10 s');
    expect(table).toContain('live again within          0.05 s');
    expect(table).toContain('intermediate values lost   0, and 9 that were compacted away');
    expect(table).toContain('The promise holds.');
  });

  it.each<[Partial<SoakResult>, string]>([
    [{ lost: 13 }, '1 values were lost that the server still had'],
    [{ finalWrong: 1 }, '1 final values are wrong'],
    [{ outOfOrder: 2 }, '2 values came out of order'],
    [{ toldTwice: 3 }, '3 values were told twice'],
    [{ leaks: ['a socket'] }, 'left behind: a socket'],
    [{ unhandled: ['Error: x'] }, 'unhandled: Error: x'],
    [{ tooRare: ['a cut'] }, 'less than twice: a cut'],
  ])('is broken by %j', (change, text) => {
    const result = { ...good, ...change };
    expect(breaches(result)).toEqual([text]);
    expect(soakTable(result)).toContain(`The promise is broken: ${text}.`);
  });

  it.each([
    [['--etcd'], { etcd: true, minutes: 3, seed: 1, workers: null, json: false }],
    [['--etcd', '--minutes', '0.5', '--seed', '7', '--json'], { minutes: 0.5, seed: 7, json: true }],
    [['--etcd', '--workers', '20000'], { workers: 20_000 }],
    [['--help'], { help: true }],
  ])('takes %j', (args, options) => {
    expect(soakOptions(args)).toMatchObject(options);
    for (const arg of args.filter((text) => text.startsWith('--'))) expect(help).toContain(arg);
  });

  it.each([
    [[], 'which system? --etcd'],
    [['--etcd', '--minutes', '0'], '--minutes takes a number above 0'],
    [['--etcd', '--seed', 'x'], '--seed takes a whole number'],
    [['--etcd', '--workers', '0'], '--workers takes a whole number above 0'],
    [['--nothing'], "Unknown option '--nothing'"],
  ])('refuses %j', (args, text) => {
    expect(soakOptions(args)).toContain(text);
  });
});
