import type { Problem } from '../sources/problem.js';
import { type WorkerId, workerIdFromBigInt } from '../worker-id.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import type { Endpoint } from './load-metrics.js';
import { scrapeProblems } from './scrape-problems.js';
import type { ScrapedEndpoint, ScrapedReply } from './scrape.js';
import { entryKey, lastEntries } from './scraped-entries.js';

/** What a subject belongs to: a worker, a worker whose id is malformed, or another endpoint (`foreign`). */
export type SubjectOwner = { readonly workerId: WorkerId } | 'malformed' | 'foreign';

// Rust's syntax of an integer in base 16, which allows a leading plus sign.
const ID = /^\+?([0-9a-fA-F]+)$/;

/**
 * The worker that a subject belongs to. `wanted` is `service.endpoint`. The id is the hexadecimal number after the last
 * dash.
 */
export function workerOfSubject(
  subject: string,
  wanted: string,
  { subject: match, workerIds }: AggregatorPolicy,
): SubjectOwner {
  if (!subject.startsWith(wanted)) return 'foreign';
  if (subject === wanted && workerIds.withoutId === 'worker-0') return { workerId: workerIdFromBigInt(0) };
  const dash = subject.lastIndexOf('-');
  if (match === 'exact' && subject !== wanted && dash !== wanted.length) return 'foreign';
  const digits = ID.exec(subject.slice(dash + 1))?.[1];
  if (digits === undefined) return 'malformed';
  const id = BigInt(`0x${digits}`);
  return id < 2n ** BigInt(workerIds.bits) ? { workerId: workerIdFromBigInt(id) } : 'malformed';
}

/** What is read from a scrape, and by which rules. */
export interface ScrapeReading {
  /** The name of the service, as {@link serviceName} makes it from a namespace and a component. */
  readonly service: string;
  /** The name of the endpoint; `load_metrics` for what engines report. */
  readonly endpoint: string;
  /** `engine` reads what the engine reports; `predictive` only that the endpoint exists. `engine` when absent. */
  readonly metrics?: 'engine' | 'predictive';
  readonly policy: AggregatorPolicy;
}

/** The endpoints of a scrape, in the order in which they were received, and its problems. */
export interface ScrapeResult {
  readonly endpoints: readonly Endpoint[];
  readonly problems: readonly Problem[];
}

/**
 * Reads the endpoints from the replies of one complete scrape.
 *
 * 1. Entries of other endpoints are ignored without a problem, since a service replies with all its endpoints.
 * 2. A reply that cannot be read is ignored with a problem. So is an entry without readable metrics or without an id.
 * 3. With `predictive` metrics every entry counts with 0 active blocks, regardless of its statistics.
 * 4. Several entries of one rank of a worker are a problem, or of one worker where the policy does not keep ranks apart.
 *    {@link ProcessedEndpoints.of} decides which of them count.
 */
export function readScrape(replies: readonly ScrapedReply[], reading: ScrapeReading): ScrapeResult {
  const { policy } = reading;
  const endpoints: Endpoint[] = [];
  const problems: Problem[] = [];
  for (const reply of replies) {
    if ('error' in reply) {
      problems.push(scrapeProblems.badReply(reply.error.message));
      continue;
    }
    for (const entry of reply.endpoints) {
      const read = readEntry(entry, reading);
      if (read === null) continue;
      if ('code' in read) problems.push(read);
      else endpoints.push(read);
    }
  }
  return { endpoints, problems: [...problems, ...duplicatesOf(endpoints, policy)] };
}

function readEntry(entry: ScrapedEndpoint, reading: ScrapeReading): Endpoint | Problem | null {
  const { service, endpoint, metrics = 'engine', policy } = reading;
  const owner = workerOfSubject(entry.subject, `${service}.${endpoint}`, policy);
  if (owner === 'foreign') return null;
  if (owner === 'malformed') return scrapeProblems.badWorkerId(entry.subject, policy.workerIds.bits);
  const { name, subject } = entry;
  const { workerId } = owner;
  if (metrics === 'predictive')
    return { name, subject, workerId, data: { predictiveLoadMetrics: { kvActiveBlocks: 0 } } };
  if (entry.metrics === null)
    return scrapeProblems.badMetrics(subject, entry.unread?.message ?? 'there are no metrics', workerId);
  return { name, subject, workerId, data: { engineLoadMetrics: entry.metrics } };
}

function duplicatesOf(endpoints: readonly Endpoint[], { entries }: AggregatorPolicy): Problem[] {
  const used = lastEntries(endpoints, entries);
  if (used.size === endpoints.length) return [];
  const counts = new Map<string, number>();
  for (const endpoint of endpoints) {
    const key = entryKey(endpoint, entries);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...used].flatMap(([key, endpoint]) => {
    const count = counts.get(key) ?? 0;
    return count > 1 ? [scrapeProblems.duplicate(endpoint, count, entries)] : [];
  });
}
