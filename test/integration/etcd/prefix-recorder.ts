import { performance } from 'node:perf_hooks';
import type { Subscription } from 'rxjs';
import type { PrefixBatch } from '../../../src/adapters/etcd/etcd-link.js';
import { type WatchPrefixOptions, watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { eventually } from '../../support/eventually.js';
import { changeLine, type EtcdWriter } from './etcd-writer.js';

// Bound now, because tests step the clocks.
const now = performance.now.bind(performance);

interface TimedStatus extends SourceStatus {
  /** The time of emission, in milliseconds of a clock that no test changes. */
  readonly at: number;
}

/** Watches through tidemark and records the emissions. */
export class PrefixRecorder implements Disposable {
  /** The present keys, as lines. */
  readonly present = new Map<string, string>();
  /** Every change in order, including those of snapshots and resyncs. */
  readonly changes: string[] = [];
  readonly kinds: PrefixBatch['kind'][] = [];
  readonly statuses: TimedStatus[] = [];
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
  get reasons(): string {
    return this.statuses.map(({ why = '' }) => why).join('\n');
  }

  /** The number of statuses so far, as an argument of `until`. */
  get statusCount(): number {
    return this.statuses.length;
  }

  /** The first such status from a position on. */
  until(state: SourceStatus['state'], from = 0): Promise<TimedStatus> {
    return eventually(() => {
      const found = this.statuses.slice(from).find((status) => status.state === state);
      if (found === undefined) throw new Error(`not ${state}; last: ${JSON.stringify(this.statuses.at(-1))}`);
      return found;
    });
  }

  /** Waits until exactly the written changes have been emitted, once and in order. */
  async receivesAll(writer: EtcdWriter): Promise<void> {
    await eventually(() => {
      const wanted = writer.written;
      const at = wanted.findIndex((text, index) => this.changes[index] !== text);
      if (at >= 0)
        throw new Error(`change ${at}: expected ${wanted[at]}, reported ${this.changes[at] ?? 'nothing'}`);
      if (this.changes.length > wanted.length)
        throw new Error(`reported too much: ${this.changes[wanted.length]}`);
    });
  }

  /** Waits until the recorded keys equal those in etcd. */
  async matches(writer: EtcdWriter, prefix: string): Promise<void> {
    await eventually(async () => {
      const actual = (await writer.gateway.get(prefix)).map(({ key, modRevision, value }) =>
        changeLine('put', key, modRevision, value),
      );
      const known = [...this.present.values()].sort();
      const wrong = [
        ...actual.filter((text) => !known.includes(text)),
        ...known.filter((text) => !actual.includes(text)),
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
      const text = changeLine(
        change.kind,
        key,
        modRevision,
        change.kind === 'put' ? change.value : undefined,
      );
      this.changes.push(text);
      if (change.kind === 'put') this.present.set(key, text);
      else this.present.delete(key);
    }
  }
}
