import { performance } from 'node:perf_hooks';
import type { SchedulerLike, Subscription } from 'rxjs';
import type { PrefixBatch } from '../../../src/adapters/etcd/prefix-batch.js';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import type { SourceStatus } from '../../../src/core/source-status.js';
import { eventually } from '../../support/eventually.js';
import { Numbers } from './numbers.js';

const now = performance.now.bind(performance);

/** A status and when it was said, by a clock that is never stepped. */
export interface SeenStatus {
  readonly state: SourceStatus['state'];
  readonly at: number;
}

/** Listens through tidemark and keeps count of the numbers. */
export class Listener {
  readonly told = new Set<number>();
  readonly present = new Map<string, string>();
  readonly statuses: SeenStatus[] = [];
  readonly resyncs: number[] = [];
  readonly ended: string[] = [];
  outOfOrder = 0;
  toldTwice = 0;
  readonly #last = new Map<string, number>();
  readonly #subscription: Subscription;

  constructor(hosts: string, scheduler: SchedulerLike) {
    const { changes$, status$ } = watchPrefix({ hosts, prefixes: 'soak/', scheduler });
    const error = (thrown: unknown): number => this.ended.push(String(thrown));
    const complete = (): number => this.ended.push('completed');
    this.#subscription = status$.subscribe({
      next: ({ state }) => this.statuses.push({ state, at: now() }),
      error,
      complete,
    });
    this.#subscription.add(changes$.subscribe({ next: (batch) => this.#take(batch), error, complete }));
  }

  get live(): boolean {
    return this.statuses.at(-1)?.state === 'live';
  }

  /** The first such status from a mark on. */
  until(state: SourceStatus['state'], from: number): Promise<SeenStatus> {
    return eventually(() => {
      const found = this.statuses.slice(from).find((status) => status.state === state);
      if (found === undefined) throw new Error(`never ${state}`);
      return found;
    }, 30_000);
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe();
  }

  #take({ kind, changes }: PrefixBatch): void {
    if (kind === 'resync') this.resyncs.push(now());
    for (const change of changes) {
      const { key } = change;
      if (change.kind === 'delete') {
        this.present.delete(key);
        continue;
      }
      const text = Buffer.from(change.value).toString('latin1');
      this.present.set(key, `${change.modRevision} ${text}`);
      if (key.startsWith(Numbers.prefix)) this.#count(key, Number(text));
    }
  }

  #count(key: string, number: number): void {
    if (this.told.has(number)) this.toldTwice += 1;
    else if (number < (this.#last.get(key) ?? 0)) this.outOfOrder += 1;
    this.told.add(number);
    this.#last.set(key, number);
  }
}
