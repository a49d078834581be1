import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

const MAX_TURN_MS = 1;

/**
 * A turn on the event loop, for long work that is done in many of them: when it {@link isOver}, the others who wait are
 * let go before the {@link next}.
 */
export class Turn {
  private end = performance.now() + MAX_TURN_MS;

  get isOver(): boolean {
    return performance.now() >= this.end;
  }

  /** Begins the next turn, when the others have had theirs. */
  async next(): Promise<void> {
    await setImmediate();
    this.end = performance.now() + MAX_TURN_MS;
  }
}
