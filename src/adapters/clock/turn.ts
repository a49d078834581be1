import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

const MAX_TURN_MS = 1;

/**
 * A turn on the event loop, for long work that is split into many of them: when it {@link isOver}, await {@link next} so
 * that other callbacks can run.
 */
export class Turn {
  private end = performance.now() + MAX_TURN_MS;

  /** Whether the time of this turn is used up. */
  get isOver(): boolean {
    return performance.now() >= this.end;
  }

  /** Begins the next turn after other callbacks have run. */
  async next(): Promise<void> {
    await setImmediate();
    this.end = performance.now() + MAX_TURN_MS;
  }
}
