import { describe, expect, it } from 'vitest';
import { gateCaseNames, gateGoalsOf, gateRatios, gateRound } from './gate.js';

const sizes = [10, 1_000];

/** Nanoseconds of each case on a quiet machine. */
const quiet = {
  'textbook/10x8': 3_750,
  'pipeline/10x8': 370,
  'decode/1000x8': 163,
  'decode-objects/1000x8': 320,
  'reduce/1000x8': 120,
  'monitor/1000x8': 125,
  'reduce-objects/1000x8': 308,
  'loop/1000x8': 317,
  'pipeline/1000x8': 395,
  'pipeline-objects/1000x8': 700,
  'flip-none/1000x8': 99,
  'flip/1000x8': 675,
};

function valuesWith(changes: Readonly<Record<string, readonly number[]>> = {}) {
  return new Map(
    Object.entries(quiet).map(([name, value]): [string, readonly number[]] => [
      name,
      changes[name] ?? [value],
    ]),
  );
}

function missed(values: ReadonlyMap<string, readonly number[]>): string[] {
  return gateGoalsOf(values, sizes)
    .filter(({ holds }) => holds === false)
    .map(({ text }) => text);
}

describe('the ratios of the gate', () => {
  it('are of the cases that have a value here, and hold on a quiet machine', () => {
    expect([...gateCaseNames(sizes)].sort()).toEqual(Object.keys(quiet).sort());
    expect(missed(valuesWith())).toEqual([]);
  });

  // A plain loop and the textbook chain are calibrations: their code is not a path of the product.
  it.each(Object.entries(quiet).filter(([name]) => !/^(textbook|loop)\//.test(name)))(
    'miss a limit when %s costs twice as much',
    (name, value) => {
      expect(missed(valuesWith({ [name]: [value * 2] }))).not.toEqual([]);
    },
  );

  it('miss a limit when everything but the textbook chain costs twice as much', () => {
    const twice = Object.entries(quiet).map(([name, value]) => [name, [value * 2]] as const);
    const changes = Object.fromEntries(twice.filter(([name]) => !name.startsWith('textbook/')));
    expect(missed(valuesWith(changes))).toContain('decoding to the textbook chain');
  });

  it('hold when a slow machine makes everything twice as slow', () => {
    const twice = Object.entries(quiet).map(([name, value]) => [name, [value * 2]] as const);
    expect(missed(valuesWith(Object.fromEntries(twice)))).toEqual([]);
  });

  it('compare the best of all rounds, wherever it is', () => {
    const values = valuesWith({ 'flip/1000x8': [9_000, 675, 9_000], 'flip-none/1000x8': [900, 900, 99] });
    const flip = gateGoalsOf(values, sizes).find(({ text }) => text === 'flip to no flip');
    expect(flip?.value).toBeCloseTo(675 / 99);
    expect(flip?.holds).toBe(true);
  });

  it('are unknown without a value for both sides', () => {
    const values = valuesWith();
    values.set('flip/1000x8', []);
    values.delete('textbook/10x8');
    const unknown = gateGoalsOf(values, sizes).filter(({ value }) => value === null);
    expect(unknown.map(({ holds }) => holds)).toEqual(unknown.map(() => null));
    expect(unknown.map(({ text }) => text)).toContain('flip to no flip');
    expect(unknown).toHaveLength(1 + gateRatios.filter(({ below: [kind] }) => kind === 'textbook').length);
  });
});

describe('a round of the gate', () => {
  const how = { sizes, processes: 3, quick: false };
  const slowFlip = valuesWith({ 'flip/1000x8': [9_000] });

  it.each([1, 3])('measures all cases in round %s', (round) => {
    expect([...gateRound(round, valuesWith(), how)].sort()).toEqual(Object.keys(quiet).sort());
  });

  it('measures nothing more when every ratio holds', () => {
    expect(gateRound(4, valuesWith(), how).size).toBe(0);
  });

  it('measures both cases of a missed ratio again, up to a last round', () => {
    expect([...gateRound(4, slowFlip, how)]).toEqual(['flip/1000x8', 'flip-none/1000x8']);
    expect(gateRound(15, slowFlip, how).size).toBe(2);
    expect(gateRound(16, slowFlip, how).size).toBe(0);
  });

  it('is the only one of a quick run', () => {
    expect(gateRound(2, slowFlip, { sizes, processes: 1, quick: true }).size).toBe(0);
  });
});
