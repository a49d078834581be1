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
  'unknown-role',
  'contradictory-cards',
  'several-namespaces',
  'too-many-pools',
  'too-many-models',
  'too-many-namespaces',
  'loads-over-zmq',
  'worker-not-heard',
  'worker-not-known',
  'no-capacity',
  'no-signal',
  'no-threshold',
  'signal-missing',
  'too-many-thresholds',
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
 * - `unknown-role`: model cards have a worker type that this version does not know. Their workers count as aggregated.
 * - `contradictory-cards`: workers have several model cards of one pool that differ. The one whose key sorts last counts.
 * - `several-namespaces`: a prefix selects namespaces that are not generations of one.
 * - `too-many-pools`, `too-many-models`, `too-many-namespaces`: a fleet has more than are listed.
 * - `loads-over-zmq`: discovery says that publishers send their loads over ZMQ, so they do not arrive over NATS.
 * - `worker-not-heard`, `worker-not-known`, `no-capacity`, `no-signal`, `no-threshold`: workers have been unknown for a while, for
 *   this reason; `workerId` is one of them. It is reported once, until no worker of the pool is unknown for this reason.
 * - `signal-missing`: a threshold is set, but the first ten loads have no value to compare with it.
 * - `too-many-thresholds`: thresholds were given to one more worker than may have thresholds of its own.
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
  /** The number of events or workers that it summarises, at least 1. */
  readonly count: number;
}
