import { workerIdFromBigInt, type WorkerId } from '../worker-id.js';
import type { AggregatorPolicy } from './aggregator-policy.js';

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
