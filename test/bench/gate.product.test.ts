import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../support/processes.js';
import { gateRatios } from './gate.js';

interface Report {
  readonly goals: readonly { readonly text: string; readonly value: number; readonly limit: number }[];
  readonly results: readonly { readonly case: string; readonly values: readonly number[] }[];
}

/**
 * The gate on performance: ratios of costs within one run. test/mutants/ has a patch for each gated path that doubles
 * its cost, and the test named here notices.
 */
describe('the cost of', () => {
  let report: Report;

  // The time depends on the machine and does not count: the limits here do not concern speed.
  beforeAll(async () => {
    report = await gate();
  }, 3_600_000);

  it.each(gateRatios.map(({ name }) => name))('%s is within its limit', (name) => {
    const { value = NaN, limit = NaN } = report.goals.find(({ text }) => text === name) ?? {};
    expect(value, valuesOf(report)).toBeLessThanOrEqual(limit);
  });
});

async function gate(): Promise<Report> {
  const main = join(import.meta.dirname, 'main.js');
  // Exit code 1 is a missed limit, which the tests report one by one.
  const { out, err } = await outcomeOf(process.execPath, [main, 'gate', '--json']);
  if (out === '') throw new Error(err);
  return JSON.parse(out) as Report;
}

/** Every value in nanoseconds, so that a failure shows which side of a ratio changed. */
function valuesOf({ results }: Report): string {
  return results
    .map(({ case: name, values }) => `${name}: ${values.map((value) => value.toFixed(0)).join(' ')} ns`)
    .join('\n');
}
