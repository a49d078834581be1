import type { LoadPolicy } from '../policy/load-policy.js';
import { type LoadThresholds, thresholdNames } from '../policy/load-thresholds.js';
import type { Problem } from '../sources/problem.js';
import { fleetProblems } from './fleet-problems.js';

/** The signals of a load. */
export type LoadSignal = 'activeDecodeBlocks' | 'activePrefillTokens' | 'kvUsedBlocks';

/** A signal that has not arrived within so many loads is missing. */
export const LOADS_UNTIL_MISSING = 10;

/** The signals that a threshold is compared with under a policy; none, if it has no effect. */
function signalsOf(threshold: keyof LoadThresholds, policy: LoadPolicy): readonly LoadSignal[] {
  if (threshold === 'activePrefillTokensThreshold') return ['activePrefillTokens'];
  if (threshold === 'activePrefillTokensThresholdFrac')
    return policy.batchFractionCheck === 'present' ? ['activePrefillTokens'] : [];
  return policy.decodeSignal === 'active' ? ['activeDecodeBlocks'] : ['kvUsedBlocks', 'activeDecodeBlocks'];
}

/**
 * The thresholds that are set although no load has a signal that they are compared with, each with its problem. The problem
 * names the policy that compares what the loads do have, if there is one.
 */
export function missingSignals(
  thresholds: LoadThresholds,
  policy: LoadPolicy,
  hasSignal: (signal: LoadSignal) => boolean,
): { readonly threshold: keyof LoadThresholds; readonly problem: Problem }[] {
  const all: readonly LoadSignal[] = ['kvUsedBlocks', 'activeDecodeBlocks', 'activePrefillTokens'];
  return thresholdNames.flatMap((threshold) => {
    const compared = signalsOf(threshold, policy);
    if (thresholds[threshold] === null || compared.length === 0 || compared.some(hasSignal)) return [];
    const isDecode = threshold === 'activeDecodeBlocksThreshold';
    const problem = fleetProblems.signalMissing(
      threshold,
      compared,
      policy.name,
      all.filter(hasSignal),
      isDecode && hasSignal('kvUsedBlocks'),
    );
    return [{ threshold, problem }];
  });
}
