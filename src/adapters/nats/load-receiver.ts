import { type Observable, type SchedulerLike, Subject } from 'rxjs';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { Problem } from '../../core/sources/problem.js';
import type { DecodeError } from '../../wire/decode-error.js';
import type { LoadAccount, SequenceGap } from '../../wire/loads/load-account.js';
import { LoadAccounting } from '../../wire/loads/load-accounting.js';
import { LoadBatchDecoder } from '../../wire/loads/load-batch-decoder.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';
import type { NatsMessage } from './nats-link.js';

/** What came over a subscription so far, and the gaps that were seen since the report before. */
export interface AccountingReport {
  readonly account: LoadAccount;
  readonly gaps: readonly SequenceGap[];
}

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
  readonly #loads$ = new Subject<LoadReceived | LoadBatch>();
  readonly loads$: Observable<LoadReceived | LoadBatch> = this.#loads$;
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
        this.accounting.countLoad(decoder.header, data.length);
        this.#loads$.next(decoded.load);
      } else if ('error' in decoded) {
        this.accounting.countFailure(decoded.error.code, data.length, decoder.header);
        this.#failed(decoded.error, message);
      } else this.accounting.countForeign(decoded.foreignTopic, data.length);
    };
  }

  #columns(policy: LoadPolicy): (message: NatsMessage) => void {
    const decoder = new LoadBatchDecoder(policy);
    const handOn = (): void => {
      if (decoder.batch.count === 0) return;
      this.#loads$.next(decoder.batch);
      decoder.clear();
    };
    this.#beginChunk = (now) => decoder.setReceivedAt(now);
    this.#endOfChunk = handOn;
    return (message) => {
      const { data } = message;
      this.#chunk();
      if (decoder.full) handOn();
      const refusal = decoder.add(data);
      if (refusal === null) this.accounting.countLoad(decoder.header, data.length);
      else if ('error' in refusal) {
        this.accounting.countFailure(refusal.error.code, data.length, decoder.header);
        this.#failed(refusal.error, message);
      } else this.accounting.countForeign(refusal.foreignTopic, data.length);
    };
  }

  #chunk(): void {
    if (this.#inChunk) return;
    this.#inChunk = true;
    const now = this.scheduler.now();
    this.accounting.setTime(now, Date.now());
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
