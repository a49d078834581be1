import { VirtualTimeScheduler, type Observable } from 'rxjs';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import type { WorkerId } from '../../src/core/worker-id.js';
import { id } from '../support/fleet.js';

export const ids = (...numbers: number[]): WorkerId[] => numbers.map((number) => id(number));

/** A clock that a test moves by hand. */
export class HandClock extends VirtualTimeScheduler {
  /** Does everything that is due within the next so many milliseconds. */
  pass(ms: number): void {
    this.maxFrames = this.frame + ms;
    // A marker brings the clock to the end although nothing else may be due then.
    this.schedule(() => undefined, ms);
    this.flush();
  }
}

/** What a stream has said, every set as an array. */
export function said<T>(values$: Observable<Iterable<T>>): T[][] {
  const rows: T[][] = [];
  values$.subscribe((value: Iterable<T>) => rows.push([...value]));
  return rows;
}

/** What a load says: decode blocks of rank 0. */
export function blocks(worker: number, activeDecodeBlocks: number): ActiveLoad {
  return {
    workerId: id(worker),
    dpRank: 0,
    activeDecodeBlocks,
    activePrefillTokens: null,
    kvUsedBlocks: null,
  };
}

/** Cards of 100 blocks. */
export function cards(...numbers: number[]): Map<WorkerId, { totalKvBlocks: number }> {
  return new Map(ids(...numbers).map((worker) => [worker, { totalKvBlocks: 100 }]));
}
