import { type Observable, type SchedulerLike, Subject, type TimestampProvider, asapScheduler } from 'rxjs';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import type { LoadBatch } from '../../core/events/load-batch.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { Message } from '../../core/sources/message-source.js';
import type { Problem } from '../../core/sources/problem.js';
import type { DecodeError } from '../../wire/decode-error.js';
import type {
  LoadAccount,
  NotAccountableReason,
  NotAccountableReport,
  SequenceGap,
} from '../../wire/loads/load-account.js';
import { LoadAccounting } from './load-accounting.js';
import { LoadBatchDecoder } from '../../wire/loads/load-batch-decoder.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';

/** The account of a subscription so far, and the gaps detected since the previous report. */
export interface AccountingReport {
  readonly account: LoadAccount;
  readonly gaps: readonly SequenceGap[];
}

/** `objects`: one load at a time. `columns`: batches that can be read only during the call. */
export type LoadForm = 'objects' | 'columns';

/**
 * As many loads as one read of a socket can bring: Node reads at most 64 KiB at once, and a load with its subject takes
 * more than 32 bytes.
 */
const ROWS_PER_READ = 2048;

/**
 * Decodes messages into loads and accounts for them. It is called for every message, and never throws.
 *
 * The messages that a source delivers in one turn are a chunk, such as those that a client reads from its socket at once:
 * columns are emitted at the end of a chunk, or when they are full, and the clock is read once per chunk.
 */
export class LoadReceiver {
  readonly #loads$ = new Subject<LoadReceived | LoadBatch>();
  readonly loads$: Observable<LoadReceived | LoadBatch> = this.#loads$;
  readonly accounting = new LoadAccounting();
  readonly take: (message: Message) => void;
  readonly #failures = new Map<string, { readonly text: string; count: number }>();
  #inChunk = false;
  #beginChunk: (now: number) => void = () => undefined;
  #endOfChunk: () => void = () => undefined;

  constructor(
    form: LoadForm,
    policy: LoadPolicy,
    private readonly scheduler: SchedulerLike,
    private readonly wallClock: TimestampProvider,
  ) {
    this.take = form === 'columns' ? this.#columns(policy) : this.#objects(policy);
  }

  /** The problems since the last call: decode failures, one per code, and publishers that became not accountable. */
  takeProblems(): Problem[] {
    const refused = this.accounting.takeNotAccountable();
    const failures = [...this.#failures.values()].map(({ text, count }): Problem => ({
      code: 'undecodable',
      source: 'loads',
      text,
      count,
    }));
    this.#failures.clear();
    return refused === null ? failures : [...failures, notAccountable(refused)];
  }

  #objects(policy: LoadPolicy): (message: Message) => void {
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

  #columns(policy: LoadPolicy): (message: Message) => void {
    const decoder = new LoadBatchDecoder(policy, ROWS_PER_READ);
    const emitBatch = (): void => {
      if (decoder.count === 0) return;
      this.#loads$.next(decoder.batch);
      decoder.clear();
    };
    this.#beginChunk = (now) => decoder.setReceivedAt(now);
    this.#endOfChunk = emitBatch;
    return (message) => {
      const { data } = message;
      this.#chunk();
      if (decoder.full) emitBatch();
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
    this.accounting.setTime(now, this.wallClock.now());
    this.#beginChunk(now);
    asapScheduler.schedule(() => {
      this.#inChunk = false;
      this.#endOfChunk();
    });
  }

  #failed({ code, message: why }: DecodeError, message: Message): void {
    const known = this.#failures.get(code);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    // A client may decode the subject on access, which costs more than decoding the load.
    const subject = message.subject.slice(0, 200);
    const text = `ignored a load message on ${subject} that cannot be decoded: ${why}`;
    this.#failures.set(code, { text, count: 1 });
  }
}

const reasonTexts: Readonly<Record<NotAccountableReason, string>> = {
  interleaved: 'several publishers use its id, and their numbers cannot be told apart',
  'too-many-sequences': 'more publishers use its id than can be told apart',
  undecodable:
    'several publishers use its id, and a message that cannot be decoded may belong to any of them',
};

function notAccountable({ count, publisherId, reason }: NotAccountableReport): Problem {
  return {
    code: 'publisher-not-accountable',
    source: 'loads',
    text: `the lost messages of publisher ${publisherId} cannot be counted: ${reasonTexts[reason]}`,
    count,
  };
}
