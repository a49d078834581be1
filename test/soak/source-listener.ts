import { performance } from 'node:perf_hooks';
import { Subscription, type Observable } from 'rxjs';
import type { SourceStatus } from '../../src/core/sources/source-status.js';
import { eventually } from '../support/eventually.js';

const now = performance.now.bind(performance);

const STEADY_MS = 300;

/** A status and its time, by a clock that is never stepped. */
export interface TimedStatus {
  readonly state: SourceStatus['state'];
  readonly at: number;
}

/** Subscribes to a source of tidemark. Keeps its statuses, and streams that ended although they should not. */
export class SourceListener {
  readonly statuses: TimedStatus[] = [];
  readonly ended: string[] = [];
  readonly #subscription = new Subscription();

  constructor(status$: Observable<SourceStatus>) {
    this.subscribe(status$, ({ state }) => this.statuses.push({ state, at: now() }));
  }

  get live(): boolean {
    return this.statuses.at(-1)?.state === 'live';
  }

  /** Whether it has been live for some time, so that it is not between two failures. */
  get steady(): boolean {
    return this.live && now() - (this.statuses.at(-1)?.at ?? 0) > STEADY_MS;
  }

  /** Waits for the first status with this state, from a position in the list on. */
  until(state: SourceStatus['state'], from: number): Promise<TimedStatus> {
    return eventually(() => {
      const found = this.statuses.slice(from).find((status) => status.state === state);
      if (found === undefined) throw new Error(`never ${state}`);
      return found;
    }, 30_000);
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe();
  }

  protected subscribe<T>(values$: Observable<T>, take: (value: T) => void): void {
    this.#subscription.add(
      values$.subscribe({
        next: take,
        error: (thrown: unknown) => this.ended.push(String(thrown)),
        complete: () => this.ended.push('completed'),
      }),
    );
  }
}
