import type { Count } from '../core/count.js';
import { openLatch, updateLatch, type DecodeLatch } from '../core/decode-latch.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { LoadThresholds } from '../core/load-thresholds.js';
import { decodeLimit } from '../core/rank-checks.js';
import { inRange, type RankRange } from '../core/rank-range.js';
import type { RankState, RankStates } from '../core/rank-state.js';
import { onlyKeys, withEntry } from './immutable-map.js';
import type { CountedCard } from './model-state.js';

/** The values one rank reported last. */
export interface ReportedRank {
  readonly activeDecodeBlocks: Count | null;
  readonly activePrefillTokens: Count | null;
  readonly kvUsedBlocks: Count | null;
  readonly latch: DecodeLatch | null;
}

/** Capacities that a card gave to a range of ranks. */
export interface Capacity {
  readonly range: RankRange;
  readonly totalKvBlocks: Count | undefined;
  readonly maxNumBatchedTokens: Count | undefined;
}

/** One worker of the model: what its cards and its ranks said. Capacities: the newest last, it wins. */
export interface ModelWorker {
  readonly declared: RankRange | null;
  readonly capacities: readonly Capacity[];
  readonly ranks: ReadonlyMap<number, ReportedRank>;
}

/** The values of one report. */
export type Report = Omit<ReportedRank, 'latch'>;

/** A worker nothing is known of. */
export const newWorker: ModelWorker = { declared: null, capacities: [], ranks: new Map() };

const silent: ReportedRank = {
  activeDecodeBlocks: null,
  activePrefillTokens: null,
  kvUsedBlocks: null,
  latch: null,
};

/** The worker after one report of one rank: absent values keep the old ones, the latch sees only the given ones. */
export function reportRank(
  worker: ModelWorker,
  rank: number,
  report: Report,
  marks: LoadThresholds,
  policy: LoadPolicy,
): ModelWorker {
  const before = worker.ranks.get(rank) ?? silent;
  const used = policy.decodeSignal === 'active' ? null : report.kvUsedBlocks;
  const over = overDecodeMark(worker, rank, marks, policy);
  const after: ReportedRank = {
    activeDecodeBlocks: report.activeDecodeBlocks ?? before.activeDecodeBlocks,
    activePrefillTokens: report.activePrefillTokens ?? before.activePrefillTokens,
    kvUsedBlocks: used ?? before.kvUsedBlocks,
    latch:
      over === null
        ? before.latch
        : updateLatch(before.latch ?? openLatch, report.activeDecodeBlocks, report.kvUsedBlocks, over),
  };
  return { ...worker, ranks: withEntry(worker.ranks, rank, after) };
}

/**
 * The worker under a new card.
 *
 * 1. `merged`: the card's capacities are laid over the ones there are; nothing else changes.
 * 2. `reconciled`: ranks outside the card are forgotten, capacities are the card's alone, and each latch is made
 *    anew from the values stored.
 */
export function applyCard(
  worker: ModelWorker,
  counted: CountedCard,
  marks: LoadThresholds,
  policy: LoadPolicy,
): ModelWorker {
  const { totalKvBlocks, maxNumBatchedTokens } = counted.card;
  const capacity: Capacity = { range: counted.range, totalKvBlocks, maxNumBatchedTokens };
  if (policy.capacity === 'merged') {
    const visible = worker.capacities.filter((older) => !covers(capacity, older));
    return { ...worker, declared: counted.range, capacities: [...visible, capacity] };
  }
  const reconciled: ModelWorker = {
    declared: counted.range,
    capacities: [capacity],
    ranks: onlyKeys(worker.ranks, (rank) => inRange(rank, counted.range)),
  };
  const ranks = new Map<number, ReportedRank>();
  for (const [rank, stored] of reconciled.ranks) {
    const over = overDecodeMark(reconciled, rank, marks, policy);
    const latch =
      over === null ? null : updateLatch(openLatch, stored.activeDecodeBlocks, stored.kvUsedBlocks, over);
    ranks.set(rank, { ...stored, latch });
  }
  return { ...reconciled, ranks };
}

/** The worker as the judgement sees it: each reported rank with its capacities. */
export function rankStatesOf(worker: ModelWorker): RankStates {
  const ranks = new Map<number, RankState>();
  for (const [rank, reported] of worker.ranks) {
    const totalKvBlocks = newest(worker, rank, 'totalKvBlocks');
    ranks.set(rank, {
      ...reported,
      totalKvBlocks,
      maxNumBatchedTokens: newest(worker, rank, 'maxNumBatchedTokens'),
    });
  }
  return { declared: worker.declared, ranks };
}

/** What the latch compares with, or `null` where there is no latch to move. */
function overDecodeMark(
  worker: ModelWorker,
  rank: number,
  marks: LoadThresholds,
  policy: LoadPolicy,
): ((value: Count) => boolean) | null {
  const total = newest(worker, rank, 'totalKvBlocks');
  const mark = marks.activeDecodeBlocksThreshold;
  if (policy.decodeSignal !== 'latched' || mark === null || total === null || Number(total) === 0)
    return null;
  return (value) => Number(value) > decodeLimit(mark, total);
}

function newest(
  worker: ModelWorker,
  rank: number,
  field: 'totalKvBlocks' | 'maxNumBatchedTokens',
): Count | null {
  return (
    worker.capacities.findLast((it) => it[field] !== undefined && inRange(rank, it.range))?.[field] ?? null
  );
}

/** Whether nothing of an older capacity shows under a newer one, so that flapping cards do not pile up. */
function covers(newer: Capacity, older: Capacity): boolean {
  return (
    newer.range.start <= older.range.start &&
    newer.range.end >= older.range.end &&
    (newer.totalKvBlocks !== undefined || older.totalKvBlocks === undefined) &&
    (newer.maxNumBatchedTokens !== undefined || older.maxNumBatchedTokens === undefined)
  );
}
