import { Subject, type Observable, type SchedulerLike } from 'rxjs';
import type { LoadReported } from '../../core/fleet-event.js';
import type { LoadBatch } from '../../core/load-batch.js';
import type { LoadPolicy } from '../../core/load-policy.js';
import type { Problem } from '../../core/problem.js';
import type { DecodeError } from '../../wire/decode-error.js';
import { LoadAccounting } from '../../wire/load-accounting.js';
import { LoadBatchDecoder } from '../../wire/load-batch-decoder.js';
import { LoadDecoder } from '../../wire/load-decoder.js';
import type { NatsMessage } from './nats-link.js';

/** Loads as objects, one by one, or as columns, valid during the call only. */
export type LoadForm = 'objects' | 'columns';

/**
 * Turns messages into loads, and accounts for them. It is called for every message, on the client's own stack, and
 * never throws.
 *
 * What the client read from its socket at once is one chunk: columns are handed on at its end, or when they are full,
 * and the clock is read once for it.
 */
export class LoadReceiver {
  readonly #loads$ = new Subject<LoadReported | LoadBatch>();
  readonly loads$: Observable<LoadReported | LoadBatch> = this.#loads$;
  readonly accounting = new LoadAccounting();
  readonly take: (message: NatsMessage) => void;
  readonly #failures = new Map<string, { readonly text: string; count: number }>();
  #inChunk = false;
  #beginChunk: (now: number) => void = () => undefined;
  #endOfChunk: () => void = () => undefined;

  constructor(
    form: LoadForm,
    policy: LoadPolicy,
    private readonly scheduler: SchedulerLike,
  ) {
    this.take = form === 'columns' ? this.#columns(policy) : this.#objects(policy);
  }

  /** What could not be decoded since the last call: one problem for each kind of failure. */
  takeProblems(): Problem[] {
    const problems = [...this.#failures.values()].map(({ text, count }): Problem => ({
      code: 'undecodable',
      source: 'loads',
      text,
      count,
    }));
    this.#failures.clear();
    return problems;
  }

  #objects(policy: LoadPolicy): (message: NatsMessage) => void {
    const decoder = new LoadDecoder(policy);
    return (message) => {
      const { data } = message;
      this.#chunk();
      const decoded = decoder.decode(data);
      if ('load' in decoded) {
        this.accounting.received(decoder.head, data.length);
        this.#loads$.next(decoded.load);
      } else if ('error' in decoded) {
        this.accounting.refused(decoded.error.code, data.length, decoder.head);
        this.#failed(decoded.error, message);
      } else this.accounting.foreign(decoded.foreignTopic, data.length);
    };
  }

  #columns(policy: LoadPolicy): (message: NatsMessage) => void {
    const decoder = new LoadBatchDecoder(policy);
    const handOn = (): void => {
      if (decoder.batch.count === 0) return;
      this.#loads$.next(decoder.batch);
      decoder.clear();
    };
    this.#beginChunk = (now) => decoder.at(now);
    this.#endOfChunk = handOn;
    return (message) => {
      const { data } = message;
      this.#chunk();
      if (decoder.full) handOn();
      const refusal = decoder.add(data);
      if (refusal === null) this.accounting.received(decoder.head, data.length);
      else if ('error' in refusal) {
        this.accounting.refused(refusal.error.code, data.length, decoder.head);
        this.#failed(refusal.error, message);
      } else this.accounting.foreign(refusal.foreignTopic, data.length);
    };
  }

  #chunk(): void {
    if (this.#inChunk) return;
    this.#inChunk = true;
    const now = this.scheduler.now();
    this.accounting.at(now, Date.now());
    this.#beginChunk(now);
    queueMicrotask(() => {
      this.#inChunk = false;
      this.#endOfChunk();
    });
  }

  #failed({ code, message: why }: DecodeError, message: NatsMessage): void {
    const known = this.#failures.get(code);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    // The clients decode the subject of a message when it is read, which costs more than its load: not before here.
    const subject = message.subject.slice(0, 200);
    const text = `a load message on ${subject} cannot be read and is left out: ${why}`;
    this.#failures.set(code, { text, count: 1 });
  }
}
