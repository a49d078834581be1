import type { FleetCounts } from '../../judgement/fleet-state.js';
import type { TallyName } from './worker-slots.js';

/** How many workers there are, kept up to date by every change of a worker. */
export class WorkerNumbers {
  states = 0;
  instances = 0;
  down = 0;
  private readonly tallies: Record<TallyName, number> = { absent: 0, free: 0, unknown: 0, busy: 0 };

  /** Counts a worker as something else than before. */
  move(before: TallyName, now: TallyName): void {
    this.tallies[before] -= 1;
    this.tallies[now] += 1;
  }

  /** The workers in numbers: the given object if they did not change. */
  counts(last: FleetCounts | undefined, busy: number, held: number, overloadMarked: number): FleetCounts {
    const { states, instances, down } = this;
    const { free, unknown } = this.tallies;
    const workers = free + unknown + this.tallies.busy;
    const same =
      last !== undefined &&
      last.busy === busy &&
      last.free === free &&
      last.unknown === unknown &&
      last.workers === workers &&
      last.known + last.held === states &&
      last.held === held &&
      last.overloadMarked === overloadMarked &&
      last.instances === instances &&
      last.down === down;
    if (same) return last;
    return { workers, busy, free, unknown, known: states - held, held, overloadMarked, instances, down };
  }
}
