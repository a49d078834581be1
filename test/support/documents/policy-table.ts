import {
  type CleanupRule,
  type LoadPolicy,
  type OverloadMarks,
  type UnknownWorkers,
  policyCells,
} from '../../../src/core/policy/load-policy.js';
import type { LoadThresholds } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import { markdownTable } from './markdown-table.js';

type Cell = keyof typeof policyCells;

const thresholds = (m: LoadThresholds): string =>
  [m.activeDecodeBlocksThreshold, m.activePrefillTokensThreshold, m.activePrefillTokensThresholdFrac]
    .map((value) => (value === null ? 'off' : value.toLocaleString('en').replaceAll(',', ' ')))
    .join(' / ');
const cleanup = (rule: CleanupRule): string =>
  rule === 'none' ? 'none' : `${rule.types}${rule.withoutRank ? ', and "none"' : ''}`;
const overloadMarks = (rule: OverloadMarks): string =>
  rule === 'ignored'
    ? rule
    : `until ${rule.until}${rule.maximumMs === null ? '' : `, at most ${rule.maximumMs} ms`}`;
const unknown = (rule: UnknownWorkers): string =>
  rule.loads === 'tracked'
    ? rule.loads
    : `${rule.loads}; known by ${rule.known}${rule.loads === 'held' ? `; at most ${rule.maximumWorkers}` : ''}`;
const wire = ({ formats, positionalFields, payloadAsArray, payloadAsString }: LoadPolicy['wire']): string =>
  [
    formats.join(', '),
    `positional ${positionalFields.join(' or ')}`,
    ...(payloadAsArray ? ['payload as array'] : []),
    ...(payloadAsString ? ['payload as string'] : []),
  ].join('; ');

function content(row: LoadPolicy, cell: Cell): string {
  switch (cell) {
    case 'defaultThresholds':
      return thresholds(row[cell]);
    case 'cleanupOnInstanceLeft':
    case 'cleanupOnConfigRemoved':
      return cleanup(row[cell]);
    case 'overloadMarks':
      return overloadMarks(row[cell]);
    case 'unknownWorkers':
      return unknown(row[cell]);
    case 'wire':
      return wire(row[cell]);
    case 'rollUp':
      return typeof row[cell] === 'string' ? row[cell] : `at least ${row[cell].atLeast}`;
    case 'judgedOn':
      return row[cell].join(', ');
    default:
      return row[cell];
  }
}

/** The policies as Markdown: a row for each cell, a column for each policy. */
export function policyTable(): string {
  const names = Object.keys(policies);
  const rows = (Object.keys(policyCells) as Cell[]).map((cell) => [
    `\`${cell}\``,
    policyCells[cell],
    ...Object.values(policies).map((row: LoadPolicy) => content(row, cell)),
  ]);
  return markdownTable(['cell', 'what it decides', ...names], rows);
}
