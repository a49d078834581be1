import type { FleetRanks } from '../../core/fleet-ranks.js';
import type { LoadCheck } from '../../core/rank-checks.js';

/** What can make a worker busy now: the checks whose mark is set, and a mark of the request path where it counts. */
export function checksInForce({ policy, thresholds }: FleetRanks): (LoadCheck | 'mark')[] {
  const checks: (LoadCheck | 'mark')[] = [];
  if (thresholds.activePrefillTokensThreshold !== null) checks.push('activePrefillTokens');
  if (thresholds.activePrefillTokensThresholdFrac !== null && policy.batchFractionCheck === 'present')
    checks.push('activePrefillTokensFrac');
  if (thresholds.activeDecodeBlocksThreshold !== null) {
    checks.push('activeDecodeBlocks');
    if (policy.decodeSignal !== 'active') checks.push('kvUsedBlocks');
    if (policy.decodeSignal === 'latched') checks.push('latch');
  }
  if (policy.requestMarks !== 'ignored') checks.push('mark');
  return checks;
}
