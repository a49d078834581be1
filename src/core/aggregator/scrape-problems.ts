import { oneLine, packageErrorCode } from '../errors.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import type { Endpoint, LoadMetrics } from './load-metrics.js';

/** The problems of scrapes. */
export const scrapeProblems = {
  failed: (text: string, error: unknown): Problem => ({
    code: packageErrorCode(error) ?? 'scrape-failed',
    source: 'scrape',
    text: `a scrape failed, and the last snapshot is kept: ${oneLine(text)}`,
    count: 1,
  }),
  badReply: (text: string): Problem => ({
    code: 'undecodable',
    source: 'scrape',
    text: `ignored a reply that cannot be read: ${oneLine(text)}`,
    count: 1,
  }),
  badMetrics: (subject: string, text: string, workerId: WorkerId): Problem => ({
    code: 'undecodable',
    source: 'scrape',
    text: `ignored the metrics of ${quoted(subject)}, which cannot be read: ${oneLine(text)}`,
    workerId,
    count: 1,
  }),
  badWorkerId: (subject: string, bits: number): Problem => ({
    code: 'malformed-worker-id',
    source: 'scrape',
    text:
      `ignored ${quoted(subject)}: its last dash must be followed by a worker id, which is a hexadecimal number of at ` +
      `most ${bits} bits`,
    count: 1,
  }),
  duplicate: ({ workerId, data }: Endpoint, entries: number, used: AggregatorPolicy['entries']): Problem => ({
    code: 'duplicate-worker',
    source: 'scrape',
    text: `worker ${workerId} has ${entries} entries${rankText(data, used)} in one scrape: the last one is used, and ${
      used === 'last-of-rank' ? 'the others do not count' : 'all of them count in average and deviation'
    }`,
    workerId,
    count: entries - 1,
  }),
  missed: (workerId: WorkerId, scrapesLeft: number): Problem => ({
    code: 'worker-missed',
    source: 'scrape',
    text: `a scrape had no metrics of worker ${workerId}: ${consequenceText(scrapesLeft)}`,
    workerId,
    count: 1,
  }),
  noReplies: (workers: number, scrapesLeft: number): Problem => ({
    code: 'worker-missed',
    source: 'scrape',
    text: `no replies received, and there ${workers === 1 ? 'was 1 worker' : `were ${workers} workers`} before: ${consequenceText(scrapesLeft)}`,
    count: workers,
  }),
} as const;

/** A foreign text in quotes, at most 200 characters. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

/** The rank that has several entries, if the policy keeps ranks apart and the engine has ranks. */
function rankText(data: LoadMetrics, used: AggregatorPolicy['entries']): string {
  const rank = 'engineLoadMetrics' in data ? data.engineLoadMetrics.workerStats.dataParallelRank : null;
  return used === 'last-of-rank' && rank !== null ? ` of rank ${rank}` : '';
}

/** What happens to a worker that a scrape missed. */
function consequenceText(scrapesLeft: number): string {
  if (scrapesLeft === 0) return 'the last values are discarded';
  return `the last values are kept for ${scrapesLeft} more ${scrapesLeft === 1 ? 'scrape' : 'scrapes'}`;
}
