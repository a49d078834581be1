import { performance } from 'node:perf_hooks';
import type { Subscription } from 'rxjs';
import type { PrefixBatch } from '../../../src/adapters/etcd/etcd-link.js';
import { type WatchPrefixOptions, watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { eventually } from '../../support/eventually.js';
import { line, type Truth } from './etcd-writer.js';

// Taken at once: tests step the clocks.
const now = performance.now.bind(performance);

interface Seen extends SourceStatus {
  /** The time of emission, in milliseconds of a clock that no test changes. */
  readonly at: number;
}

/** Watches through tidemark and records the emissions. */
export class Follower implements Disposable {
  /** What is there, as lines without the kind. */
  readonly present = new Map<string, string>();
  /** Every change, in order, those of snapshots and resyncs included. */
  readonly reported: string[] = [];
  readonly kinds: PrefixBatch['kind'][] = [];
  readonly statuses: Seen[] = [];
  readonly errors: unknown[] = [];
  readonly #subscription: Subscription;

  constructor(options: WatchPrefixOptions) {
    const { changes$, status$ } = watchPrefix(options);
    const error = (thrown: unknown): number => this.errors.push(thrown);
    const complete = (): number => this.errors.push('completed');
    this.#subscription = status$.subscribe({
      next: (status) => this.statuses.push({ ...status, at: now() }),
      error,
      complete,
    });
    this.#subscription.add(changes$.subscribe({ next: (batch) => this.#take(batch), error, complete }));
  }

  get state(): SourceStatus['state'] | undefined {
    return this.statuses.at(-1)?.state;
  }

  get resyncs(): number {
    return this.kinds.filter((kind) => kind === 'resync').length;
  }

  /** All reasons in the statuses. */
  get whys(): string {
    return this.statuses.map(({ why = '' }) => why).join('\n');
  }

  /** How many statuses so far, to be handed to `until`. */
  get mark(): number {
    return this.statuses.length;
  }

  /** The first such status from a mark on. */
  until(state: SourceStatus['state'], from = 0): Promise<Seen> {
    return eventually(() => {
      const found = this.statuses.slice(from).find((status) => status.state === state);
      if (found === undefined) throw new Error(`not ${state}; last: ${JSON.stringify(this.statuses.at(-1))}`);
      return found;
    });
  }

  /** Waits until exactly the written changes have been emitted, once and in order. */
  async hears(truth: Truth): Promise<void> {
    await eventually(() => {
      const wanted = truth.written;
      const at = wanted.findIndex((text, index) => this.reported[index] !== text);
      if (at >= 0)
        throw new Error(`change ${at}: expected ${wanted[at]}, reported ${this.reported[at] ?? 'nothing'}`);
      if (this.reported.length > wanted.length)
        throw new Error(`reported too much: ${this.reported[wanted.length]}`);
    });
  }

  /** Waits until what it knows is what is there. */
  async knows(truth: Truth, prefix: string): Promise<void> {
    await eventually(async () => {
      const there = (await truth.gateway.get(prefix)).map(({ key, modRevision, value }) =>
        line('put', key, modRevision, value),
      );
      const known = [...this.present.values()].sort();
      const wrong = [
        ...there.filter((text) => !known.includes(text)),
        ...known.filter((text) => !there.includes(text)),
      ];
      if (wrong.length > 0) throw new Error(`${wrong.length} keys differ, such as ${wrong[0]}`);
    });
  }

  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
  }

  #take({ kind, changes }: PrefixBatch): void {
    this.kinds.push(kind);
    if (kind === 'snapshot') this.present.clear();
    for (const change of changes) {
      const { key, modRevision } = change;
      const text = line(change.kind, key, modRevision, change.kind === 'put' ? change.value : undefined);
      this.reported.push(text);
      if (change.kind === 'put') this.present.set(key, text);
      else this.present.delete(key);
    }
  }
}
