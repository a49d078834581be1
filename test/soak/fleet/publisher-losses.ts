import type { SequenceGap } from '../../../src/wire/loads/load-account.js';
import type { TimedStatus } from '../source-listener.js';
import { downIntervals, countLosses, type ReceivedNumber, type Losses } from '../nats/losses.js';
import type { WorkerLifetime } from './worker-plan.js';

/** How long it can take to detect a silent link. Messages published before that were already lost on it. */
const DETECTION_MS = 10_000;

/** How many messages a worker numbered, and how many of them were lost. */
export interface PublisherLosses extends Losses {
  readonly count: number;
  /** The reported ones that are in no gap, but in an interval with status down. */
  readonly reportedDown: number;
}

/**
 * The losses of a publisher that may have joined late and left early.
 *
 * Losses between received messages must be in a reported gap. Losses before the first or after the last received message
 * are in no gap; there, the status must have been other than live at some time. For a killed publisher, the messages after
 * the last received one are unknown.
 */
export function countPublisherLosses(
  { beganAt, endedAt, count }: WorkerLifetime,
  received: readonly ReceivedNumber[],
  gaps: readonly SequenceGap[],
  statuses: readonly TimedStatus[],
): PublisherLosses {
  const [first, last] = [received[0], received.at(-1)];
  const between = countLosses((last?.number ?? -1) + 1, received, gaps, statuses);
  const known = count ?? (last?.number ?? -1) + 1;
  const downs = downIntervals(statuses);
  const end = (endedAt ?? Infinity) + DETECTION_MS;
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
