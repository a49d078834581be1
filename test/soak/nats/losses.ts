import type { SequenceGap } from '../../../src/wire/loads/load-account.js';
import type { TimedStatus } from '../source-listener.js';
import type { FaultTime } from '../stage.js';

/** A received number and its time. */
export interface ReceivedNumber {
  readonly number: number;
  readonly at: number;
}

/** The losses of one publisher. */
export interface Losses {
  readonly lost: number;
  /** The reported ones among them. */
  readonly reported: number;
  readonly reportedWrongly: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
}

/**
 * The losses among the numbers from 0 to `count` − 1, given the reported gaps.
 *
 * For a publisher that does not number its messages, `gaps` is null. Its losses count as reported if the status was not
 * live at some time between the messages before and after the loss.
 */
export function countLosses(
  count: number,
  received: readonly ReceivedNumber[],
  gaps: readonly SequenceGap[] | null,
  statuses: readonly TimedStatus[],
): Losses {
  const times = new Map(received.map(({ number, at }) => [number, at]));
  const all = Array.from({ length: count }, (_, number) => number);
  const lost = all.filter((number) => !times.has(number));
  const inGaps = new Set(
    gaps?.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => from + n)),
  );
  const isReported =
    gaps === null ? whileDown(times, lost, statuses) : (number: number): boolean => inGaps.has(number);
  return {
    lost: lost.length,
    reported: lost.filter(isReported).length,
    reportedWrongly: [...inGaps].filter((number) => times.has(number)).length,
    duplicates: received.length - times.size,
    outOfOrder: received.filter(({ number }, index) => number < (received[index - 1]?.number ?? 0)).length,
  };
}

/** Whether the status was not live at some time between the messages before and after a lost one. */
function whileDown(
  times: ReadonlyMap<number, number>,
  lost: readonly number[],
  statuses: readonly TimedStatus[],
): (number: number) => boolean {
  const missing = new Set(lost);
  const downs = downIntervals(statuses);
  const next = (number: number, step: 1 | -1): number => {
    let candidate = number;
    while (missing.has(candidate)) candidate += step;
    return candidate;
  };
  return (number) => {
    const before = times.get(next(number, -1)) ?? -Infinity;
    const after = times.get(next(number, 1)) ?? Infinity;
    return downs.some(({ from, until }) => from <= after && until >= before);
  };
}

/**
 * The total duration of faults that interrupted the connection, and of the time from healing until it was permanently
 * live, in milliseconds. `times` are in order; each period ends when the next begins.
 */
export function measureDownTime(
  times: readonly FaultTime[],
  statuses: readonly TimedStatus[],
): { readonly injectedMs: number; readonly settledMs: number } {
  let [injectedMs, settledMs] = [0, 0];
  for (const [index, { began, healed }] of times.entries()) {
    const end = times[index + 1]?.began ?? Infinity;
    const during = statuses.filter(({ at }) => at >= began && at < end);
    if (!during.some(({ state }) => state === 'down')) continue;
    const live = during.findLast(({ state }) => state === 'live')?.at ?? healed;
    injectedMs += healed - began;
    settledMs += Math.max(0, live - healed);
  }
  return { injectedMs, settledMs };
}

/** The intervals in which the status was not live, after it was live for the first time. */
export function downIntervals(
  statuses: readonly TimedStatus[],
): { readonly from: number; readonly until: number }[] {
  const first = statuses.findIndex(({ state }) => state === 'live');
  return statuses.flatMap(({ state, at }, index) => {
    if (state === 'live' || index < first) return [];
    return [{ from: at, until: statuses[index + 1]?.at ?? Infinity }];
  });
}
