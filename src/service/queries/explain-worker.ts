import type { Explanation } from '../../core/judgement/explanation.js';
import type { Pool } from '../pools/pools.js';
import { isoTime } from '../stream/server-sent-events.js';
import { poolLabel } from './pool-summary.js';

const units: Readonly<Record<string, string>> = {
  activePrefillTokens: 'active prefill tokens',
  activePrefillTokensFrac: 'active prefill tokens',
  kvUsedBlocks: 'used KV blocks',
  activeDecodeBlocks: 'active decode blocks',
};

/**
 * What would make a busy worker free, a sentence each: how many of its busy ranks have to come down, and for each of
 * them by how much. Empty for a worker that is free.
 */
export function recoveryConditions({
  busy,
  overloadMarked,
  busyRanks,
  neededRanks,
  ranks,
}: Explanation): string[] {
  if (!busy) return [];
  const sentences: string[] = [];
  if (overloadMarked) sentences.push('the mark of the request path ends by itself, or with the next load');
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
          ? `rank ${rank}: both block signals must be reported within the limit once`
          : `rank ${rank}: ${units[check] ?? check} ${value} must come down to ${limit}${
              margin === null ? '' : ` (by ${-margin})`
            }`,
      );
    }
  }
  return sentences;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** How a worker stands in a pool: every rank and check, what would make it free, and the whole in sentences. */
export function describeWorker(pool: Pool, explained: Explanation): object {
  return {
    ...poolLabel(pool),
    ...explained,
    since: isoTimeOrNull(explained.since),
    clears: recoveryConditions(explained),
  };
}

/** Since when a worker is busy. */
export function isoTimeOrNull(since: number | null): string | null {
  return since === null ? null : isoTime(since);
}
