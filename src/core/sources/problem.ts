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
  'scrape-failed',
  'worker-missed',
  'malformed-worker-id',
  'duplicate-worker',
] as const;

/**
 * What was wrong and was survived. The codes are stable. `source-stale`: a source ended, and what it last said
 * stays in force although nothing renews it. `scrape-failed`: a scrape could not be made or was cut short, and says
 * nothing. `worker-missed`: a complete scrape had no metrics of a worker that was there before. `malformed-worker-id`: a
 * subject ends with no id. `duplicate-worker`: one scrape had several entries of one worker.
 */
export type ProblemCode = (typeof problemCodes)[number];

/** One thing that was wrong and was survived: the event stream goes on. */
export interface Problem {
  readonly code: ProblemCode;
  /** Where it came from: `loads`, `configs`, `instances`, `thresholds`, `events`, `scrape`. */
  readonly source: 'loads' | 'configs' | 'instances' | 'thresholds' | 'events' | 'scrape';
  /** One sentence for people. */
  readonly text: string;
  /** The worker it is about, where there is one. */
  readonly workerId?: WorkerId;
  /** How many events it stands for, at least 1. */
  readonly count: number;
}
