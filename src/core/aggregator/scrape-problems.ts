import { oneLine } from '../errors.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';

/** What can be wrong with a scrape, each with its sentence. */
export const scrapeProblems = {
  failed: (text: string): Problem => ({
    code: 'scrape-failed',
    source: 'scrape',
    text: `a scrape does not count, and the last snapshot stays: ${oneLine(text)}`,
    count: 1,
  }),
  badReply: (text: string): Problem => ({
    code: 'undecodable',
    source: 'scrape',
    text: `a reply cannot be read and was left out: ${oneLine(text)}`,
    count: 1,
  }),
  badMetrics: (subject: string, text: string, workerId: WorkerId): Problem => ({
    code: 'undecodable',
    source: 'scrape',
    text: `the metrics of ${quoted(subject)} cannot be read and were left out: ${oneLine(text)}`,
    workerId,
    count: 1,
  }),
  badWorkerId: (subject: string, bits: number): Problem => ({
    code: 'malformed-worker-id',
    source: 'scrape',
    text:
      `${quoted(subject)} was left out: behind its last dash stands no worker id, which is a number of at most ` +
      `${bits} bits in hexadecimal`,
    count: 1,
  }),
  duplicate: (workerId: WorkerId, entries: number, counted: string): Problem => ({
    code: 'duplicate-worker',
    source: 'scrape',
    text: `worker ${workerId} stands ${entries} times in one scrape: the last entry is taken, ${counted}`,
    workerId,
    count: entries - 1,
  }),
  missed: (workerId: WorkerId, left: number): Problem => ({
    code: 'worker-missed',
    source: 'scrape',
    text: `a scrape had no metrics of worker ${workerId}: ${consequenceText(left)}`,
    workerId,
    count: 1,
  }),
  noReplies: (workers: number, left: number): Problem => ({
    code: 'worker-missed',
    source: 'scrape',
    text: `a scrape had no reply at all, and ${workers} ${workers === 1 ? 'worker was' : 'workers were'} there before: ${consequenceText(left)}`,
    count: workers,
  }),
} as const;

/** Somebody else's text in quotes, not too long. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

/** What becomes of a worker that a scrape did without. */
function consequenceText(left: number): string {
  if (left === 0) return 'nothing that was said before is kept';
  return `what was last said stays, for ${left} more ${left === 1 ? 'scrape' : 'scrapes'}`;
}
