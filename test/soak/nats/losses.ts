import type { SequenceGap } from '../../../src/wire/loads/load-account.js';
import type { SeenStatus } from '../ear.js';
import type { FaultTime } from '../stage.js';

/** A number that came, and when. */
export interface Heard {
  readonly number: number;
  readonly at: number;
}

/** What became of the messages of one publisher. */
export interface Losses {
  readonly lost: number;
  /** Of these, how many were reported. */
  readonly reported: number;
  readonly reportedWrongly: number;
  readonly toldTwice: number;
  readonly outOfOrder: number;
}

/**
 * What became of the numbers from 0 below `count`, of which gaps of the publisher were reported.
 *
 * Of one that does not number its messages, `gaps` is null: what it lost is reported when the status was not live at
 * some time between the message before the loss and the one after it.
 */
export function lossesOf(
  count: number,
  heard: readonly Heard[],
  gaps: readonly SequenceGap[] | null,
  statuses: readonly SeenStatus[],
): Losses {
  const times = new Map(heard.map(({ number, at }) => [number, at]));
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
    toldTwice: heard.length - times.size,
    outOfOrder: heard.filter(({ number }, at) => number < (heard[at - 1]?.number ?? 0)).length,
  };
}

/** Whether the status was not live at some time between the messages before and after a lost one. */
function whileDown(
  times: ReadonlyMap<number, number>,
  lost: readonly number[],
  statuses: readonly SeenStatus[],
): (number: number) => boolean {
  const missing = new Set(lost);
  const downs = intervals(statuses);
  const next = (number: number, step: 1 | -1): number => {
    let at = number;
    while (missing.has(at)) at += step;
    return at;
  };
  return (number) => {
    const before = times.get(next(number, -1)) ?? -Infinity;
    const after = times.get(next(number, 1)) ?? Infinity;
    return downs.some(({ from, until }) => from <= after && until >= before);
  };
}

/**
 * How long faults lasted that took the connection away, and how long it took from their end until it was live for
 * good, in milliseconds. `times` are in order, each until the next begins.
 */
export function downTime(
  times: readonly FaultTime[],
  statuses: readonly SeenStatus[],
): { readonly injectedMs: number; readonly settledMs: number } {
  let [injectedMs, settledMs] = [0, 0];
  for (const [place, { began, healed }] of times.entries()) {
    const end = times[place + 1]?.began ?? Infinity;
    const during = statuses.filter(({ at }) => at >= began && at < end);
    if (!during.some(({ state }) => state === 'down')) continue;
    const live = during.findLast(({ state }) => state === 'live')?.at ?? healed;
    injectedMs += healed - began;
    settledMs += Math.max(0, live - healed);
  }
  return { injectedMs, settledMs };
}

/** When the status was not live, after it first was. */
export function intervals(
  statuses: readonly SeenStatus[],
): { readonly from: number; readonly until: number }[] {
  const first = statuses.findIndex(({ state }) => state === 'live');
  return statuses.flatMap(({ state, at }, place) => {
    if (state === 'live' || place < first) return [];
    return [{ from: at, until: statuses[place + 1]?.at ?? Infinity }];
  });
}
