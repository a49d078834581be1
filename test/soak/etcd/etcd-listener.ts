import { performance } from 'node:perf_hooks';
import type { SchedulerLike } from 'rxjs';
import type { PrefixBatch } from '../../../src/adapters/etcd/etcd-link.js';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import { SourceListener } from '../source-listener.js';
import { Numbers } from './numbers.js';

const now = performance.now.bind(performance);

/** Watches etcd through tidemark, and keeps track of the received numbers. */
export class EtcdListener extends SourceListener {
  readonly received = new Set<number>();
  readonly present = new Map<string, string>();
  readonly resyncs: number[] = [];
  outOfOrder = 0;
  duplicates = 0;
  readonly #last = new Map<string, number>();

  constructor(hosts: string, scheduler: SchedulerLike) {
    const { changes$, status$ } = watchPrefix({ hosts, prefixes: 'soak/', scheduler });
    super(status$);
    this.subscribe(changes$, (batch) => this.#take(batch));
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
    if (this.received.has(number)) this.duplicates += 1;
    else if (number < (this.#last.get(key) ?? 0)) this.outOfOrder += 1;
    this.received.add(number);
    this.#last.set(key, number);
  }
}
