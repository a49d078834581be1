import { describe, expect, it } from 'vitest';
import { comparisonOf, comparisonTable, pairsOf } from './compare.js';
import { optionsOf } from './options.js';

const pipeline = { name: 'pipeline/1000x8', kind: 'pipeline', unit: 'ns' };
const scrape = { name: 'scrape/10x8', kind: 'scrape', unit: 'ms' };

describe('the cases of two commits', () => {
  it('match by name', () => {
    expect(pairsOf([pipeline, scrape], ['flip/10x8', 'pipeline/1000x8'], new Map())).toEqual({
      pairs: [{ here: 'pipeline/1000x8', there: 'pipeline/1000x8', unit: 'ns' }],
      onlyHere: ['scrape/10x8'],
    });
  });

  it('match by the old name of a kind that was renamed', () => {
    const renamed = new Map([['pipeline', 'whole']]);
    expect(pairsOf([pipeline], ['whole/1000x8', 'pipeline/1000x8'], renamed).pairs).toEqual([
      { here: 'pipeline/1000x8', there: 'whole/1000x8', unit: 'ns' },
    ]);
    expect(pairsOf([pipeline], ['whole/10x8', 'pipeline/1000x8'], renamed).pairs).toEqual([]);
  });
});

describe('a comparison', () => {
  const pair = { here: 'flip/10x8', there: 'flip/10x8', unit: 'ns' };

  it('has the ratio of the best values, and the spread and median of each side', () => {
    expect(comparisonOf(pair, { here: [150, 100, 120], there: [200, 300, 250] })).toEqual({
      case: 'flip/10x8',
      unit: 'ns',
      ratio: 0.5,
      here: { best: 100, spread: 0.5, median: 120, values: [150, 100, 120] },
      there: { best: 200, spread: 0.5, median: 250, values: [200, 300, 250] },
    });
  });

  it('has no ratio and no spread to nothing', () => {
    const none = comparisonOf({ ...pair, unit: 'loads' }, { here: [3], there: [0, 0] });
    expect(none).toMatchObject({ ratio: null, there: { best: 0, spread: null } });
    expect(comparisonTable([none], { revision: 'v1', rounds: 2, quick: false })).toMatch(
      /^flip\/10x8 \[loads\] +- +3\.0 +0\.0 +\+0 % +- +3\.0 +0\.0$/m,
    );
  });

  it('is a line of a table with the names of both cases', () => {
    const table = comparisonTable([comparisonOf(pair, { here: [100, 150], there: [200, 210] })], {
      revision: 'v1',
      rounds: 2,
      quick: true,
    });
    expect(table).toContain('The working tree ("here") against v1 ("there"): 2 processes of each');
    expect(table).toContain('QUICK');
    expect(table).toMatch(/^flip\/10x8 \[ns\] +0\.50 +100\.0 +200\.0 +\+50 % +\+5 % +125\.0 +205\.0$/m);
  });
});

describe('the options of a comparison', () => {
  it.each([
    [['--compare', 'HEAD'], 10],
    [['--compare', 'HEAD', '--processes', '12'], 12],
    [['--compare', 'HEAD', '--quick'], 1],
    [['gate'], 3],
    [[], 5],
  ])('%s take their number of processes', (args, processes) => {
    expect(optionsOf(args)).toMatchObject({ processes });
  });

  it('take renamed kinds as old=new, separated by commas', () => {
    expect(optionsOf(['--compare', 'HEAD', '--renamed', 'whole=pipeline,old=flip'])).toMatchObject({
      compare: 'HEAD',
      renamed: new Map([
        ['pipeline', 'whole'],
        ['flip', 'old'],
      ]),
    });
  });

  it.each([
    [['--compare'], '--compare'],
    [['--compare', ''], '--compare takes a commit'],
    [
      ['--compare', 'HEAD', '--renamed', 'whole'],
      '--renamed takes pairs like old=new, separated by commas, and whole',
    ],
    [['--compare', 'HEAD', '--renamed', 'a=b,=c'], '--renamed takes pairs'],
    [['--compare', 'HEAD', '--renamed', ''], '--renamed takes pairs'],
    [['--renamed', 'a=b'], '--renamed only applies with --compare'],
    [['gate', '--compare', 'HEAD'], 'use it without gate and --gate'],
    [['--gate', '--compare', 'HEAD'], 'use it without gate and --gate'],
  ])('%s are refused', (args, text) => {
    expect(optionsOf(args)).toContain(text);
  });
});
