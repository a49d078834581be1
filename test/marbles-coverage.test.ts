import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LoadPolicy } from '../src/core/policy/load-policy.js';
import { policies, policyNamed } from '../src/core/policy/policies.js';
import type { Marble } from '../src/testing/marble/grammar/marble.js';
import { parseMarble } from '../src/testing/marble/grammar/parse-marble.js';
import { fleetOperators } from '../src/testing/marble/operators/fleet-operators.js';
import { failureText } from '../src/testing/marble/run/assert-marble.js';
import { runMarble } from '../src/testing/marble/run/run-marble.js';
import { cellRules, ruleIds, type Cell, type CellRule } from './support/rule-ids.js';
import { root } from './support/run-cli.js';

const folder = join(root, 'marbles');
const marbles = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort()
  .map((name) => ({
    name,
    marble: parseMarble(readFileSync(join(folder, name), 'utf8'), `marbles/${name}`),
  }));
const named = (rule: CellRule): { name: string; marble: Marble }[] =>
  marbles.filter(({ marble }) => marble.rules.includes(rule.id));

/** Contents that no row of the table has. */
const moreContents: Partial<Record<Cell, readonly unknown[]>> = { rollUp: ['any', { atLeast: 2 }] };

/** Whether a file notices when a cell of its policy has any other content that the table knows. */
function notices(marble: Marble, { cell }: CellRule): boolean {
  const contents = [
    ...Object.values(policies).map((row: LoadPolicy) => row[cell]),
    ...(moreContents[cell] ?? []),
  ];
  return contents.some((content) => {
    const changed = (name: string): LoadPolicy => ({ ...policyNamed(name), [cell]: content });
    return !runMarble(marble, fleetOperators(changed)).passed;
  });
}

/** The policies that a file names. */
function policiesOf(marble: Marble): LoadPolicy[] {
  return marble.calls.map(({ args: [given] }) => {
    const { policy = 'default' } = (given ?? {}) as { readonly policy?: string };
    return policyNamed(policy);
  });
}

describe('rules and marbles', () => {
  it('no file names a rule that there is not', () => {
    const unknown = marbles.flatMap(({ name, marble }) =>
      marble.rules.filter((rule) => !ruleIds.includes(rule)).map((rule) => `${name}: ${rule}`),
    );
    expect(unknown).toEqual([]);
  });

  it.each([...ruleIds])('%s - has a file', (rule) => {
    expect(marbles.filter(({ marble }) => marble.rules.includes(rule)).length).toBeGreaterThan(0);
  });

  it.each(cellRules.map((rule) => ({ ...rule, rule })))(
    '$id - its files have that content, and notice another one',
    ({ rule, cell, policy }) => {
      for (const { name, marble } of named(rule)) {
        for (const row of policiesOf(marble)) expect(row[cell], name).toEqual(policies[policy][cell]);
        expect(notices(marble, rule), `${name} must fail when ${cell} is changed`).toBe(true);
      }
    },
  );

  const reduced = marbles.filter(({ marble }) => marble.calls.some((call) => call.name === 'reduceFleet'));
  it.each(reduced)('$name - holds for the model too', ({ marble }) => {
    const { model } = fleetOperators();
    expect(failureText(runMarble(marble, model === undefined ? {} : { reduceFleet: model }))).toBe('');
  });
});
