import type { Problem } from '../sources/problem.js';
import { type WorkerId, workerIdFromBigInt } from '../worker-id.js';
import type { AggregatorPolicy } from './aggregator-policy.js';
import type { Endpoint } from './load-metrics.js';
import { scrapeProblems } from './scrape-problems.js';
import type { ScrapedEndpoint, ScrapedReply } from './scrape.js';

/** Whose endpoint a subject is: a worker's, nobody's that can be named, or another endpoint altogether. */
export type SubjectOwner = { readonly workerId: WorkerId } | 'malformed' | 'foreign';

// As Rust reads an integer of base 16: a plus sign may stand first.
const ID = /^\+?([0-9a-fA-F]+)$/;

/**
 * The worker whose endpoint a subject is, if it is one of `wanted`, which is `service.endpoint`. The id is what stands
 * behind the last dash, in hexadecimal.
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

/** What is wanted of a scrape, and by which rules. */
export interface ScrapeReading {
  /** The name of the service, as {@link serviceName} makes it of a namespace and a component. */
  readonly service: string;
  /** The endpoint, `load_metrics` for what engines say. */
  readonly endpoint: string;
  /** What is made of an endpoint: what its engine says, or nothing but that it is there. Absent: `engine`. */
  readonly metrics?: 'engine' | 'predictive';
  readonly policy: AggregatorPolicy;
}

/** The endpoints that a scrape told of, in the order in which they came, and what was wrong. */
export interface ScrapeResult {
  readonly endpoints: readonly Endpoint[];
  readonly problems: readonly Problem[];
}

/**
 * The endpoints of the replies of one complete scrape.
 *
 * 1. Entries of other endpoints are left out without a word: a service answers for all it has.
 * 2. A reply that cannot be read costs that reply. An entry without metrics that can be read, or without an id, costs
 *    that entry. Each is a problem.
 * 3. With `predictive` metrics every entry counts, as with 0 active blocks, whatever its statistics.
 * 4. Several entries of one worker are a problem; which of them count is {@link ProcessedEndpoints.of}'s to say.
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
    return scrapeProblems.badMetrics(subject, entry.unread?.message ?? 'there are none', workerId);
  return { name, subject, workerId, data: { engineLoadMetrics: entry.metrics } };
}

function duplicatesOf(endpoints: readonly Endpoint[], { duplicates }: AggregatorPolicy): Problem[] {
  const entries = new Map<Endpoint['workerId'], number>();
  for (const { workerId } of endpoints) entries.set(workerId, (entries.get(workerId) ?? 0) + 1);
  const counted =
    duplicates === 'each-counts' ? 'all count in average and deviation' : 'and the others do not count';
  return [...entries]
    .filter(([, count]) => count > 1)
    .map(([workerId, count]) => scrapeProblems.duplicate(workerId, count, counted));
}
