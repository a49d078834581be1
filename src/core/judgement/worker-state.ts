import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import { judgedRanks, neededRanks } from './is-busy.js';
import { rankChecks } from './rank-checks.js';
import type { RankState, RankStates } from './rank-state.js';

/**
 * The judgement on a worker: `busy`; `free`, which needs evidence; or `unknown`, because nothing was heard or no set
 * threshold can be compared. Under a policy with `withoutEvidence: 'free'`, a worker that is not busy is free.
 */
export type WorkerState = 'busy' | 'free' | 'unknown';

/** Every {@link UnknownReason}. */
export const unknownReasons = ['no-threshold', 'not-heard', 'no-capacity', 'no-signal', 'not-known'] as const;

/**
 * Why a worker is unknown: `no-threshold`, no threshold is set; `not-known`, discovery does not know it; `no-capacity`, its
 * config has no KV blocks, or 0, to compare its blocks with; `no-signal`, its loads lack the value that a set threshold
 * compares; `not-heard`, ranks that are judged have sent no load.
 */
export type UnknownReason = (typeof unknownReasons)[number];

/**
 * The judgement on a worker, from its numbers of ranks.
 *
 * 1. It is busy when as many judged ranks are busy as `rollUp` requires.
 * 2. It is free when it could not be busy even if every rank without evidence were.
 * 3. Otherwise it is unknown. Without a judged rank it is unknown too.
 * 4. Under `withoutEvidence: 'free'` a worker that is not busy is free.
 *
 * A rank has evidence when at least one set threshold was compared with one of its values.
 *
 * @param free the judged ranks that have evidence, and are not busy
 */
export function rollUpState(policy: LoadPolicy, judged: number, busy: number, free: number): WorkerState {
  const needed = neededRanks(policy.rollUp, judged);
  if (judged > 0 && busy >= needed) return 'busy';
  return policy.withoutEvidence === 'free' || (judged > 0 && judged - free < needed) ? 'free' : 'unknown';
}

/**
 * Why a worker without enough evidence is unknown. Of several reasons it is the one to remove first.
 *
 * @param states the ranks of the worker, made only if they decide
 */
export function unknownReasonOf(
  states: () => RankStates,
  thresholds: LoadThresholds,
  policy: LoadPolicy,
  isKnown: boolean,
): UnknownReason {
  if (!hasThreshold(thresholds, policy)) return 'no-threshold';
  if (!isKnown) return 'not-known';
  const withoutEvidence = [...judgedRanks(states(), policy).reported.values()].filter(
    (rank) => rankChecks(rank, thresholds, policy).length === 0,
  );
  if (withoutEvidence.length === 0) return 'not-heard';
  return withoutEvidence.some((rank) => lacksCapacity(rank, thresholds)) ? 'no-capacity' : 'no-signal';
}

function hasThreshold(thresholds: LoadThresholds, policy: LoadPolicy): boolean {
  return (
    thresholds.activeDecodeBlocksThreshold !== null ||
    thresholds.activePrefillTokensThreshold !== null ||
    (policy.batchFractionCheck === 'present' && thresholds.activePrefillTokensThresholdFrac !== null)
  );
}

/** Whether a rank without evidence has blocks, which were not compared because there are no total blocks. */
function lacksCapacity(rank: RankState, { activeDecodeBlocksThreshold }: LoadThresholds): boolean {
  const hasBlocks = rank.activeDecodeBlocks !== null || rank.kvUsedBlocks !== null;
  return activeDecodeBlocksThreshold !== null && hasBlocks && !(Number(rank.totalKvBlocks ?? 0) > 0);
}
