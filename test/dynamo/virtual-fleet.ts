import { VirtualTimeScheduler, type Observable } from 'rxjs';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import type { WorkerId } from '../../src/core/worker-id.js';
import { id } from '../support/fleet.js';

export const ids = (...numbers: number[]): WorkerId[] => numbers.map((number) => id(number));

/** A clock that a test advances. */
export class ManualClock extends VirtualTimeScheduler {
  /** Advances the clock by some milliseconds, and runs everything that is due. */
  advance(ms: number): void {
    this.maxFrames = this.frame + ms;
    // An empty action advances the clock to the end even if nothing else is due then.
    this.schedule(() => undefined, ms);
    this.flush();
  }
}

/** Collects the values of a stream, each set as an array. */
export function collect<T>(values$: Observable<Iterable<T>>): T[][] {
  const rows: T[][] = [];
  values$.subscribe((value: Iterable<T>) => rows.push([...value]));
  return rows;
}

/** A load with decode blocks of rank 0. */
export function loadWithBlocks(worker: number, activeDecodeBlocks: number): ActiveLoad {
  return {
    workerId: id(worker),
    dpRank: 0,
    activeDecodeBlocks,
    activePrefillTokens: null,
    kvUsedBlocks: null,
  };
}

/** Configs of 100 blocks. */
export function configsOf(...numbers: number[]): Map<WorkerId, { totalKvBlocks: number }> {
  return new Map(ids(...numbers).map((worker) => [worker, { totalKvBlocks: 100 }]));
}
