import { describe, expect, it } from 'vitest';
import { type LoadPolicy, policyCells } from '../../../src/core/policy/load-policy.js';
import { policies, type PolicyName } from '../../../src/core/policy/policies.js';
import { playRecording } from '../../../src/testing/recordings/play-recording.js';
import { oracle, own } from '../../support/fixture-recordings.js';

type Cell = keyof typeof policyCells;
type Contents = { readonly [C in Cell]: readonly LoadPolicy[C][] };

const column = <C extends Cell>(cell: C): LoadPolicy[C][] =>
  [...new Set(Object.values(policies).map((row: LoadPolicy) => JSON.stringify(row[cell])))].map(
    (content) => JSON.parse(content) as LoadPolicy[C],
  );
const wireOf = (row: LoadPolicy): LoadPolicy['wire'][] => [
  { ...row.wire, formats: row.wire.formats.filter((format) => format !== 'envelope') },
  { ...row.wire, formats: [...new Set([...row.wire.formats, 'active-load-json' as const])] },
  { ...row.wire, positionalFields: [4] },
  { ...row.wire, positionalFields: [5] },
  { ...row.wire, positionalFields: [4, 5] },
  { ...row.wire, payloadAsArray: !row.wire.payloadAsArray },
  { ...row.wire, payloadAsString: !row.wire.payloadAsString },
];

/** Everything a cell may be changed to: the contents of all other rows, and values that no row has. */
const contents = (row: LoadPolicy): Contents => {
  const fromRows = Object.fromEntries(
    (Object.keys(policyCells) as Cell[]).map((cell) => [cell, column(cell)]),
  ) as unknown as Contents;
  return {
    ...fromRows,
    rollUp: ['all', 'any', { atLeast: 2 }],
    judgedOn: [
      ...fromRows.judgedOn,
      ...row.judgedOn.map((kind) => row.judgedOn.filter((other) => other !== kind)),
      [...new Set([...row.judgedOn, 'instances' as const])],
      [...new Set([...row.judgedOn, 'thresholds' as const])],
    ],
    wire: wireOf(row),
  };
};

/** Contents that mean the same under the rest of a row, and why. Nothing else may go unnoticed. */
const noCandidates = 'the reducer’s outputs name no candidates; the instance client does';
const noUnknown = 'a recording expects busy workers, which this cell does not change';
const ofModels = 'a recording is about one pool, and this cell about models';
const same: Partial<Record<PolicyName, Partial<Record<Cell, Record<string, string>>>>> = {
  'dynamo-1.0': {
    reportedDown: { '"not-a-candidate"': noCandidates },
    withoutEvidence: { '"unknown"': noUnknown },
    prefillForModel: { '"needed-while-registered"': ofModels },
  },
  default: {
    reportedDown: { '"ignored"': noCandidates },
    withoutEvidence: { '"free"': noUnknown },
    prefillForModel: { '"ignored"': ofModels },
  },
  'dynamo-1.6': {
    withoutEvidence: { '"unknown"': noUnknown },
    prefillForModel: { '"ignored"': ofModels },
    cleanupOnInstanceLeft: {
      '{"types":"known","withoutRank":true}':
        'without prefill watches a worker is known under its own type only',
    },
    cleanupOnConfigRemoved: {
      '{"types":"known","withoutRank":true}':
        'without prefill watches a worker is known under its own type only',
    },
  },
};

function isNoticed(policy: LoadPolicy, row: string): boolean {
  const recordings = [...own, ...oracle].filter(({ recording }) => recording.header.policy === row);
  return recordings.some(({ recording }) => playRecording(recording, { policy }).failures.length > 0);
}

describe('policy table', () => {
  it('every row has every cell, and every cell a sentence', () => {
    for (const row of Object.values(policies)) {
      expect(
        Object.keys(row)
          .filter((cell) => cell !== 'name')
          .sort(),
      ).toEqual(Object.keys(policyCells).sort());
    }
    for (const sentence of Object.values(policyCells)) expect(sentence).toMatch(/^[A-Z].*[^.]\.$/);
  });

  it('every row has the name of its key', () => {
    for (const [name, row] of Object.entries(policies)) expect(row.name).toBe(name);
  });
});

describe.each(['dynamo-1.0', 'dynamo-1.6', 'default'] as const)('policy %s', (name) => {
  const row: LoadPolicy = policies[name];
  const changes = (Object.keys(policyCells) as Cell[]).flatMap((cell) =>
    contents(row)
      [cell].filter((content) => JSON.stringify(content) !== JSON.stringify(row[cell]))
      .map((content) => ({ cell, content: JSON.stringify(content) })),
  );

  it('is noticed unchanged by no recording', () => {
    expect(isNoticed(row, name)).toBe(false);
  });

  it('every cell can be changed', () => {
    expect(new Set(changes.map(({ cell }) => cell))).toEqual(new Set(Object.keys(policyCells)));
  });

  it.each(changes)('$cell = $content - makes a recording fail', ({ cell, content }) => {
    const changed = { ...row, [cell]: JSON.parse(content) as unknown };
    const reason = same[name]?.[cell]?.[content];
    expect(isNoticed(changed, name), reason ?? 'no recording notices').toBe(reason === undefined);
  });
});
