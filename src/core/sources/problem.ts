import { packageErrorCodes } from '../errors.js';
import type { WorkerId } from '../worker-id.js';

/** Every {@link ProblemCode}. */
export const problemCodes = [
  'foreign-topic',
  'unknown-worker',
  'undeclared-rank',
  'held-worker-dropped',
  'rank-range',
  'threshold-out-of-range',
  'source-error',
  'source-ended',
  'source-stale',
  'undecodable',
  'publisher-not-accountable',
  'scrape-failed',
  'worker-missed',
  'malformed-worker-id',
  'duplicate-worker',
  'thresholds-unreadable',
  'thresholds-not-saved',
  ...packageErrorCodes,
] as const;

/**
 * The kind of a problem. The codes are stable.
 *
 * - `source-stale`: a source ended. Its last value is kept, although nothing updates it.
 * - `publisher-not-accountable`: the lost messages of a publisher cannot be counted, because others use its id.
 * - `scrape-failed`: a scrape could not be made or was cut short, so its replies do not count.
 * - `worker-missed`: a complete scrape had no metrics of a worker that was there before.
 * - `malformed-worker-id`: a subject does not end with a valid worker id.
 * - `duplicate-worker`: one scrape had several entries of one worker, or of one of its ranks.
 * - `thresholds-unreadable`: the file of thresholds cannot be read, or is damaged. The thresholds in force are kept.
 * - `thresholds-not-saved`: the file of thresholds cannot be written. The thresholds in force are kept.
 * - `package-missing`, `package-version`, `package-broken`: a source needs a package; the text names the command that
 *   installs it.
 */
export type ProblemCode = (typeof problemCodes)[number];

/** Something was wrong, but the stream continued. */
export interface Problem {
  readonly code: ProblemCode;
  /** The source that it is about. */
  readonly source: 'loads' | 'configs' | 'instances' | 'thresholds' | 'events' | 'scrape';
  /** One sentence for people. */
  readonly text: string;
  /** The worker that it is about, if there is one. */
  readonly workerId?: WorkerId;
  /** The number of events that it summarises, at least 1. */
  readonly count: number;
}
