import type { FleetStep } from '../../core/fleet-step.js';
import type { ProblemCode } from '../../core/problem.js';
import type { LoadCheck } from '../../core/rank-checks.js';
import { tellingCheck, tellingRank } from '../../core/telling-check.js';
import type { Transition } from '../../core/transition.js';

/** What told that a worker crossed: a check, or what else it was. */
export type CrossedBy = LoadCheck | 'mark' | 'unmarked' | 'left' | 'none';

export type Direction = 'busy' | 'free';

const checks = {
  activeDecodeBlocks: 0,
  activePrefillTokens: 0,
  activePrefillTokensFrac: 0,
  kvUsedBlocks: 0,
  latch: 0,
  none: 0,
} as const satisfies Partial<Record<CrossedBy, 0>>;

const codes = {
  'foreign-topic': 0,
  'unknown-worker': 0,
  'undeclared-rank': 0,
  'held-worker-dropped': 0,
  'rank-range': 0,
  'threshold-out-of-range': 0,
  'source-error': 0,
  'source-ended': 0,
  'source-stale': 0,
  undecodable: 0,
} as const satisfies Record<ProblemCode, 0>;

/** What the steps of a monitor amount to. Every count is there from the beginning, at 0, so that its first rise shows. */
export class MonitorCounts {
  readonly transitions: Readonly<Record<Direction, Map<CrossedBy, number>>> = {
    busy: new Map(Object.entries({ ...checks, mark: 0 }) as [CrossedBy, number][]),
    free: new Map(Object.entries({ ...checks, unmarked: 0, left: 0 }) as [CrossedBy, number][]),
  };
  /** By code; a code that is not ours counts as `other`. */
  readonly problems = new Map<string, number>(Object.entries({ ...codes, other: 0 }));

  /** Counts what one step changed. */
  count({ transitions, problems }: FleetStep): void {
    for (const transition of transitions) {
      add(this.transitions[transition.busy ? 'busy' : 'free'], crossedBy(transition), 1);
    }
    for (const { code, count } of problems) {
      add(this.problems, this.problems.has(code) ? code : 'other', count);
    }
  }
}

/** The check that the sentence of the verdict tells, or the reason where no check is. */
function crossedBy({ busy, verdict }: Transition): CrossedBy {
  if (verdict.reason !== 'load') return verdict.reason;
  const rank = tellingRank(verdict.ranks, busy);
  return (rank && tellingCheck(rank)?.check) ?? 'none';
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
