import type { SourceStatus } from '../../core/sources/source-status.js';

/** Why a service is not ready, a sentence for each reason. Empty when it is ready. */
export function notReadyReasons(
  sources: readonly SourceStatus[],
  sourceCount: number,
  isDraining: boolean,
): string[] {
  const reasons = isDraining ? ['the service is stopping'] : [];
  if (sources.length < sourceCount) {
    reasons.push(`${sourceCount - sources.length} of ${sourceCount} sources have not reported yet`);
  }
  for (const { source, state, why } of sources) {
    if (state !== 'live') reasons.push(`${source} is ${state}${why === undefined ? '' : `: ${why}`}`);
  }
  return reasons;
}
