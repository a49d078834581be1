import type { Explanation } from '../../core/judgement/explanation.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import { plural } from '../../core/number-text.js';
import type { Pool } from '../../fleet/pools/pools.js';
import { isoTime, poolLabel } from './pool-summary.js';

const units: Readonly<Record<string, string>> = {
  activePrefillTokens: 'active prefill tokens',
  activePrefillTokensFrac: 'active prefill tokens',
  kvUsedBlocks: 'used KV blocks',
  activeDecodeBlocks: 'active decode blocks',
};

/**
 * What would make a busy worker free, a sentence for each condition: how many of its busy ranks must come down, and for
 * each of them by how much. Empty for a free worker.
 */
function recoveryConditions({ busy, overloadMarked, busyRanks, neededRanks, ranks }: Explanation): string[] {
  if (!busy) return [];
  const sentences: string[] = [];
  if (overloadMarked)
    sentences.push('the overload mark of the request path must end: it ends by itself or with the next load');
  const enough = busyRanks - neededRanks + 1;
  if (busyRanks > 0 && enough > 0) {
    sentences.push(
      enough === busyRanks
        ? `${plural(enough, 'rank')} must come down to ${enough === 1 ? 'its' : 'their'} limits`
        : `${enough} of its ${plural(busyRanks, 'busy rank')} must come down to their limits`,
    );
  }
  for (const { rank, checks, busy: rankBusy } of ranks) {
    for (const { check, standing, value, limit, margin } of rankBusy ? checks : []) {
      if (standing !== 'above') continue;
      sentences.push(
        check === 'latch'
          ? `rank ${rank}: both block signals must be within the limit once`
          : `rank ${rank}: ${units[check] ?? check} ${value} must come down to ${limit}${
              margin === null ? '' : ` (by ${-margin})`
            }`,
      );
    }
  }
  return sentences;
}

/** The explanation of a worker in a pool: every rank and check, the recovery conditions, and a text. */
export function describeWorker(pool: Pool, explained: Explanation): object {
  return {
    ...poolLabel(pool),
    ...explained,
    since: isoTimeOrNull(pool.monitor, explained.since),
    recoveryConditions: recoveryConditions(explained),
  };
}

/** The time since when a worker is busy, as text; `null` for a free worker. */
export function isoTimeOrNull(monitor: LoadMonitor, since: number | null): string | null {
  return since === null ? null : isoTime(monitor, since);
}
