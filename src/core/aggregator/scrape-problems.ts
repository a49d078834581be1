import { oneLine, packageErrorCode } from '../errors.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';

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
  duplicate: (workerId: WorkerId, entries: number, counted: string): Problem => ({
    code: 'duplicate-worker',
    source: 'scrape',
    text: `worker ${workerId} has ${entries} entries in one scrape: the last one is used, and ${counted}`,
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

/** What happens to a worker that a scrape missed. */
function consequenceText(scrapesLeft: number): string {
  if (scrapesLeft === 0) return 'the last values are discarded';
  return `the last values are kept for ${scrapesLeft} more ${scrapesLeft === 1 ? 'scrape' : 'scrapes'}`;
}
