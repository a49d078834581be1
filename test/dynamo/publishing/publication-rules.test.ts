import type { SchedulerLike } from 'rxjs';
import { describe, it } from 'vitest';
import { selectPublications } from '../../../src/dynamo/publishing/publication-rules.js';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { workerId } from '../../../src/core/worker-id.js';
import { inVirtualTime } from '../../operators/in-virtual-time.js';

const load = (
  dpRank: number,
  kvUsedBlocks: number,
  activePrefillTokens: number | null = null,
): ActiveLoad => ({
  workerId: workerId('7'),
  dpRank,
  activeDecodeBlocks: null,
  activePrefillTokens,
  kvUsedBlocks,
});
// Ranks 0 and 1, with a value each; `p` and `P` differ from `a` only in their prefill tokens.
const loads = {
  a: load(0, 1),
  b: load(0, 2),
  A: load(0, 1),
  p: load(0, 1, 5),
  P: load(0, 1, 6),
  x: load(1, 1),
  y: load(1, 2),
};

describe('selectPublications', () => {
  it.each([
    // name,                                      as,       release, loads,         published
    ['1.6: a millisecond after the last change', 'worker', '1.6', 'a--b----|     ', '-a--b---|     '],
    ['1.6: a newer value takes its place', '      worker', '1.6', '(ab)----|     ', '-b------|     '],
    ['1.6: the same value is no change', '        worker', '1.6', 'a---A---|     ', '-a------|     '],
    ['1.6: there and back is a change', '         worker', '1.6', 'a---(bA)|     ', '-a---A--|     '],
    ['1.6: other prefill tokens are a change', '  worker', '1.6', 'a--p--P-|     ', '-a--p--P|     '],
    ['1.0: other prefill tokens are a change', '  worker', '1.0', 'a--p--P-|     ', '-a--p--P|     '],
    ['1.6: each rank by itself', '                worker', '1.6', '(ax)----|     ', '-(ax)---|     '],
    ['1.0: all ranks share the pause', '          worker', '1.0', '(ax)----|     ', '-x------|     '],
    ['1.0: another rank is a change', '           worker', '1.0', 'a--x--a-|     ', '-a--x--a|     '],
    ['1.0: a router publishes every value', '     router', '1.0', '(ab)-A--|     ', '(ab)-A--|     '],
  ] as const)('%s', (_, as, release, source, expected) => {
    inVirtualTime(({ hot, expectObservable, scheduler }) => {
      const who = as.trim() as 'worker' | 'router';
      const published$ = hot(source, loads).pipe(selectPublications(who, release, scheduler));
      expectObservable(published$).toBe(expected, loads);
    });
  });

  it('a load is published a millisecond later also when the clock is set back meanwhile', () => {
    inVirtualTime(({ hot, expectObservable, scheduler }) => {
      let hours = 0;
      // Each reading is an hour earlier than the one before.
      const stepped: SchedulerLike = {
        now: () => scheduler.now() - 3_600_000 * (hours += 1),
        schedule: (...args: Parameters<SchedulerLike['schedule']>) => scheduler.schedule(...args),
      };
      const loads$ = hot('a--b----|', loads);
      for (const release of ['1.0', '1.6'] as const)
        expectObservable(loads$.pipe(selectPublications('worker', release, stepped))).toBe(
          '-a--b---|',
          loads,
        );
    });
  });
});
