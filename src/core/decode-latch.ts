import type { Count } from './count.js';

/**
 * The decode latch of one rank (Dynamo 1.1 and later): it closes when either block signal exceeds the mark and
 * opens when both have come back, so that two publishers of different signals do not make a worker flap.
 *
 * A signal that was never reported counts as come back.
 */
export interface DecodeLatch {
  readonly latched: boolean;
  readonly activeCleared: boolean;
  readonly usedCleared: boolean;
}

/** The latch of a rank that nothing has closed. */
export const openLatch: DecodeLatch = { latched: false, activeCleared: true, usedCleared: true };

/**
 * The latch after one report.
 *
 * 1. A given signal above the mark closes it.
 * 2. A given signal sets whether that signal has come back; one that is not given leaves it.
 * 3. Closed and both come back: it opens.
 *
 * @param over whether a value is above the decode mark
 */
export function updateLatch(
  latch: DecodeLatch,
  active: Count | null,
  used: Count | null,
  over: (value: Count) => boolean,
): DecodeLatch {
  const activeOver = active !== null && over(active);
  const usedOver = used !== null && over(used);
  const activeCleared = active === null ? latch.activeCleared : !activeOver;
  const usedCleared = used === null ? latch.usedCleared : !usedOver;
  const latched = (latch.latched || activeOver || usedOver) && !(activeCleared && usedCleared);
  return { latched, activeCleared, usedCleared };
}
