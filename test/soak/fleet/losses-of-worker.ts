import type { SequenceGap } from '../../../src/wire/loads/load-account.js';
import type { SeenStatus } from '../ear.js';
import { intervals, lossesOf, type Heard, type Losses } from '../nats/losses.js';
import type { WorkerLife } from './worker-plan.js';

/** A silent link is noticed so much later; what a worker said before it left was lost on it already. */
const NOTICED_MS = 10_000;

/** How many messages somebody numbered, and what became of them. */
export interface LossesOfLife extends Losses {
  readonly count: number;
  /** Of those reported, how many lie in no gap but over an interval that was reported as down. */
  readonly reportedDown: number;
}

/**
 * What became of the messages of a publisher that may have come late and left early.
 *
 * Between messages that came, what is lost lies in a reported gap. What was lost before the first that came, or after
 * the last, no number tells: there the status was not live at some time. Of one that was killed, nobody knows what it
 * said after the last that came.
 */
export function lossesOfLife(
  { beganAt, endedAt, count }: WorkerLife,
  heard: readonly Heard[],
  gaps: readonly SequenceGap[],
  statuses: readonly SeenStatus[],
): LossesOfLife {
  const [first, last] = [heard[0], heard.at(-1)];
  const between = lossesOf((last?.number ?? -1) + 1, heard, gaps, statuses);
  const known = count ?? (last?.number ?? -1) + 1;
  const downs = intervals(statuses);
  const end = (endedAt ?? Infinity) + NOTICED_MS;
  const wasDown = (since: number, to: number): boolean =>
    downs.some(({ from, until }) => from <= to && until >= since);
  const before = first?.number ?? 0;
  const after = known - 1 - (last?.number ?? -1);
  const reportedDown =
    (wasDown(beganAt, first?.at ?? end) ? before : 0) + (wasDown(last?.at ?? beganAt, end) ? after : 0);
  return {
    ...between,
    count: known,
    lost: between.lost + after,
    reported: between.reported + reportedDown,
    reportedDown,
  };
}
