import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outcomeOf, type Finished } from '../support/processes.js';

const main = join(import.meta.dirname, 'main.js');

interface Result {
  readonly case: string;
  readonly kind: string;
  readonly workers: number;
  readonly ranks: number;
  readonly unit: string;
  readonly median: number;
  readonly values: readonly number[];
  readonly isolates: string;
  readonly view: string;
}

interface Goal {
  readonly goal: number;
  readonly text: string;
  readonly value: number | null;
  readonly limit: number | null;
  readonly gated: boolean;
  readonly holds: boolean | null;
}

interface Report {
  readonly quick: boolean;
  readonly sizes: readonly number[];
  readonly results: readonly Result[];
  readonly goals: readonly Goal[];
}

/** The result of a command: its exit code and both outputs. */
function bench(...args: string[]): Promise<Finished> {
  return outcomeOf(process.execPath, [main, ...args]);
}

describe('the benchmarks', () => {
  it('run every case, and judge every goal', async () => {
    const { code, out, err } = await bench('--quick', '--json');
    expect(code, err).toBe(0);
    const report = JSON.parse(out) as Report;
    expect(report).toMatchObject({ quick: true, sizes: [10, 100, 1_000] });

    const names = report.results.map((result) => result.case);
    expect(new Set(names).size).toBe(names.length);
    for (const kind of ['decode', 'reduce', 'pipeline', 'pipeline-chunk', 'memory']) {
      for (const size of report.sizes) {
        expect(names).toEqual(expect.arrayContaining([`${kind}/${size}x1`, `${kind}/${size}x8`]));
      }
    }
    for (const result of report.results) {
      expect(result.case).toBe(`${result.kind}/${result.workers}x${result.ranks}`);
      expect(result.unit).toMatch(/^(ns|B)$/);
      expect(result.isolates).not.toBe('');
      expect(result.view).toMatch(/^(the transport|the case|nobody)/);
      expect(result.values).toHaveLength(1);
      expect(Number.isFinite(result.median)).toBe(true);
    }
    expect(err).toContain(`${names.length}/${names.length}`);

    expect(new Set(report.goals.map(({ goal }) => goal))).toEqual(new Set([1, 2, 4, 6]));
    for (const { text, value, limit, holds } of report.goals) {
      expect(value, text).not.toBeNull();
      expect(holds, text).toBe((value ?? NaN) <= (limit ?? NaN));
    }
  });

  it('print a table with what was not measured, and fail only with a gate', async () => {
    const open = await bench('--quick', '--only', '^walk/10x8$');
    expect(open.code, open.err).toBe(0);
    expect(open.out).toMatch(/^walk \[ns\] .*view: nobody/m);
    expect(open.out).toMatch(/^goal 6 +- +not measured/m);
    expect(open.out).toMatch(/^gated: 0 hold, 0 missed, [0-9]+ not measured/m);
    expect((await bench('--quick', '--only', '^walk/10x8$', '--gate')).code).toBe(1);
  });

  it('make pages while loads flow, and lose none', async () => {
    const { code, out, err } = await bench('scrape', '--quick', '--json', '--gate');
    expect(code, err).toBe(0);
    const { results, goals } = JSON.parse(out) as Report;
    expect(Object.fromEntries(results.map(({ kind, unit }) => [kind, unit]))).toEqual({
      scrape: 'ms',
      'scrape-block': 'ms',
      'scrape-idle': 'ms',
      'scrape-lost': 'loads',
    });
    expect(goals.find(({ gated }) => gated)).toMatchObject({ goal: 7, value: 0, limit: 0, holds: true });
  });

  it.each([
    [['--help'], 0, 'Usage: npm run bench'],
    [['--list', '--only', '^pipeline-chunk/1000x8$'], 0, 'pipeline-chunk/1000x8'],
    [['nats', '--list'], 0, 'nats-columns/1000x8'],
    [['scrape', '--list'], 0, 'scrape-block/10000x8'],
    [['gate', '--list'], 0, 'textbook/10x8'],
    [['etcd'], 2, 'what to measure is nats, scrape or gate'],
    [['--compare', 'no-such-revision'], 2, '"no-such-revision" is not a commit of this repository'],
    [['--processes', '0'], 2, '--processes takes a whole number'],
    [['--only', '('], 2, '--only takes a regular expression'],
    [['--only', 'nothing'], 2, 'no case has such a name'],
    [['--no-such-option'], 2, 'Usage: npm run bench'],
  ])('answer %s', async (args, code, text) => {
    const found = await bench(...args);
    expect(found.code).toBe(code);
    expect(found.out + found.err).toContain(text);
  });
});
