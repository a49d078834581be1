import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyCells } from '../../src/core/policy/load-policy.js';
import { policies, type PolicyName } from '../../src/core/policy/policies.js';
import { root } from './root.js';

export type Cell = keyof typeof policyCells;

/** A rule about one content of one cell; `policy` is the first row of the table that has it. */
export interface CellRule {
  readonly id: string;
  readonly cell: Cell;
  readonly policy: PolicyName;
}

/** The cell `wire` is about bytes, not about behaviour over time: the tests of the decoder cover it. */
const notOverTime: readonly Cell[] = ['wire'];

/** A rule for every distinct content of every cell: `cell/<cell>/<first policy that has it>`. */
export const cellRules: readonly CellRule[] = (Object.keys(policyCells) as Cell[])
  .filter((cell) => !notOverTime.includes(cell))
  .flatMap((cell) => {
    const seen = new Set<string>();
    return (Object.keys(policies) as PolicyName[]).flatMap((policy) => {
      const content = JSON.stringify(policies[policy][cell]);
      if (seen.has(content)) return [];
      seen.add(content);
      return [{ id: `cell/${cell}/${policy}`, cell, policy }];
    });
  });

/** The laws of the architecture that a marble diagram can show. */
const lawRules = [
  'law/order',
  'law/distinct',
  'law/nothing-ends-the-graph',
  'law/total-reducer',
  'law/no-stale-series',
  'law/time-is-an-argument',
  'law/same-input-same-output',
];

const monitorDocs = readFileSync(join(root, 'src/core/pipeline/load-monitor.ts'), 'utf8');

/** A rule for every row and column of the table in the monitor's docstring: `monitor/<source>/<next|error|end>`. */
const tableRules: readonly string[] = [
  ...monitorDocs.matchAll(/^ \* \| (`[^|]*) \| [^|]* \| [^|]* \| [^|]* \|$/gm),
].flatMap(([, source = '']) => {
  const name = source.replaceAll(/[`]/g, '').trim().replaceAll(/,? /g, '-');
  return ['next', 'error', 'end'].map((column) => `monitor/${name}/${column}`);
});

/** A rule for every row of the table of a monitor's life, in the same docstring. */
const lifeRules: readonly string[] = [
  ...monitorDocs.matchAll(/^ \* \| ([a-z][a-z -]*) \| [^|]* \| [^|]* \|$/gm),
]
  .map(([, row = '']) => row)
  .filter((row) => row !== 'on')
  .map((row) => `monitor/${row.replaceAll(' ', '-')}`);

/** The files of the operators whose docstring has a table of their own. */
const operatorFiles = [
  'pipeline/reduce-fleet',
  'pipeline/selections',
  'pipeline/perform-cleanup',
  'aggregator/metrics-aggregator',
];

/**
 * A rule for every row of the table `on | effect` in an operator's docstring:
 * `operator/<function>/<next|error|end|unsubscribe|late-subscription|resubscription>`.
 */
const operatorRules: readonly string[] = operatorFiles.flatMap((file) => {
  const text = readFileSync(join(root, `src/core/${file}.ts`), 'utf8');
  const tables = text.matchAll(
    /^ \* \| on \| effect \|\n \* \|---\|---\|\n((?: \* \|.*\n)+)(?: \*.*\n)*?^export function (\w+)/gm,
  );
  return [...tables].flatMap(([, table = '', name = '']) =>
    [...table.matchAll(/^ \* \| ([^|]+) \| [^|]+ \|$/gm)].map(
      ([, row = '']) => `operator/${name}/${row.replaceAll(' ', '-')}`,
    ),
  );
});

/** Every rule that a marble file must show. */
export const ruleIds: readonly string[] = [
  ...cellRules.map(({ id }) => id),
  ...lawRules,
  ...tableRules,
  ...lifeRules,
  ...operatorRules,
];
