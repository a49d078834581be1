import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublisherAccount, SequenceGap } from '../../../src/wire/loads/load-account.js';
import { LoadAccounting } from '../../../src/dynamo/loads/load-accounting.js';
import { classifySequence } from '../../../src/dynamo/loads/sequence-ledger.js';
import { runs } from '../../support/runs.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Message {
  readonly id: bigint;
  readonly step: number;
  readonly sequence: number;
  readonly publishedAt: number;
}

/** The meaning of the account, with a Map in the order of the last messages. */
class Model {
  readonly known = new Map<string, Mutable<PublisherAccount>>();
  readonly gaps: SequenceGap[] = [];
  readonly sums = { missing: 0, missingDetached: 0, gaps: 0, late: 0, restarts: 0 };
  forgotten = 0;

  constructor(private readonly limit: number) {}

  add(id: string, sequence: number, publishedAt: number, now: number): void {
    const one = this.known.get(id);
    this.known.delete(id);
    if (one === undefined) {
      const [silent] = this.known.keys();
      if (silent !== undefined && this.known.size >= this.limit) this.forget(silent);
      this.known.set(id, fresh(id, sequence, publishedAt, now));
      return;
    }
    this.known.set(id, one);
    one.received += 1;
    one.lastReceivedAt = now;
    const verdict = classifySequence(one.lastSequence, one.lastPublishedAt, sequence, publishedAt);
    if (verdict === 'late') return this.raise(one, 'late', 1);
    if (verdict === 'restart') this.raise(one, 'restarts', 1);
    const from = verdict === 'restart' ? 0 : one.lastSequence + 1;
    if (sequence > from) this.miss(one, from, sequence - 1, verdict === 'restart');
    Object.assign(one, { lastSequence: sequence, lastPublishedAt: publishedAt, gap: false });
  }

  detached(): void {
    for (const one of this.known.values()) one.gap = true;
  }

  forgetSilent(before: number): void {
    for (const [id, { lastReceivedAt }] of [...this.known]) if (lastReceivedAt < before) this.forget(id);
  }

  private miss(one: Mutable<PublisherAccount>, from: number, to: number, restarted: boolean): void {
    const { publisherId, gap: detached, lastReceivedAt: seenAt } = one;
    const missing = to - from + 1;
    this.gaps.push({ publisherId, from, to, missing, detached, restarted, seenAt });
    this.raise(one, 'gaps', 1);
    this.raise(one, 'missing', missing);
    if (detached) this.raise(one, 'missingDetached', missing);
  }

  private raise(one: Mutable<PublisherAccount>, what: keyof Model['sums'], by: number): void {
    one[what] += by;
    this.sums[what] += by;
  }

  private forget(id: string): void {
    this.known.delete(id);
    this.forgotten += 1;
  }
}

function fresh(publisherId: string, sequence: number, publishedAt: number, now: number): PublisherAccount {
  const counts = { missing: 0, missingDetached: 0, gaps: 0, late: 0, restarts: 0 };
  const place = { firstSequence: sequence, lastSequence: sequence };
  return {
    publisherId,
    received: 1,
    ...place,
    lastReceivedAt: now,
    lastPublishedAt: publishedAt,
    ...counts,
    gap: false,
  };
}

const id = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt(0n, 4n) },
  { weight: 2, arbitrary: fc.bigInt(0n, 300n) },
  { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
);
const message: fc.Arbitrary<Message> = fc.record({
  id,
  /** Most numbers follow the last; 0 takes the number as it is. */
  step: fc.constantFrom(1, 1, 1, 1, 2, 5, -1, -3, -2000, 0),
  sequence: fc.oneof(fc.constant(0), fc.nat(5000), fc.maxSafeInteger().map(Math.abs), fc.constant(2 ** 64)),
  publishedAt: fc.nat(5000),
});
const action = fc.oneof(
  { weight: 40, arbitrary: message },
  { weight: 2, arbitrary: fc.constant('detached' as const) },
  { weight: 1, arbitrary: fc.record({ forgetAfter: fc.nat(60) }) },
);

describe('load accounting', () => {
  it('agrees with a model of Maps, over every limit, forgetting and re-attach', () => {
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 500, size: 'max' }),
        fc.constantFrom(1, 2, 3, 20, 70, 1000),
        (actions, limit) => {
          const accounting = new LoadAccounting({ publishers: limit });
          const model = new Model(limit);
          const gaps: SequenceGap[] = [];
          actions.forEach((one, now) => {
            act(accounting, model, one, now);
            gaps.push(...accounting.takeGaps());
          });
          expect(gaps).toEqual(model.gaps);
          const account = accounting.snapshot();
          expect(account.sequences).toEqual(model.sums);
          const unjudged = [...model.known.values()].filter(({ gap }) => gap).length;
          const { size: known } = model.known;
          expect(account.publishers).toEqual({
            known,
            forgotten: model.forgotten,
            unjudged,
            gap: unjudged > 0,
          });
          expect(byId(accounting.publishers())).toEqual(byId([...model.known.values()]));
        },
      ),
      { numRuns: Math.ceil(runs / 40) },
    );
  });

  it('what one publisher without restarts sent - is received, or missing', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.array(fc.boolean(), { maxLength: 200 }), (first, lost) => {
        const accounting = new LoadAccounting();
        const sent = [first, ...lost.flatMap((gone, i) => (gone ? [] : [first + 1 + i]))];
        for (const sequence of sent) accounting.countLoad(headOf(7n, sequence, 0), 1);
        const reported = accounting
          .takeGaps()
          .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
        const [one] = accounting.publishers();
        const all = Array.from({ length: (one?.lastSequence ?? 0) - first + 1 }, (_, i) => first + i);
        expect([...sent, ...reported].sort((a, b) => a - b)).toEqual(all);
      }),
    );
  });
});

function act(accounting: LoadAccounting, model: Model, one: unknown, now: number): void {
  accounting.setTime(now, now);
  if (one === 'detached') {
    accounting.recordDetached(now - 1, now);
    model.detached();
  } else if (isForget(one)) {
    accounting.forgetSilent(now - one.forgetAfter);
    model.forgetSilent(now - one.forgetAfter);
  } else {
    const { id, step, sequence, publishedAt } = one as Message;
    const last = model.known.get(String(id))?.lastSequence;
    const next = last === undefined || step === 0 ? sequence : Math.max(0, last + step);
    accounting.countLoad(headOf(id, next, publishedAt), 1);
    model.add(String(id), next, publishedAt, now);
  }
}

function isForget(one: unknown): one is { readonly forgetAfter: number } {
  return typeof one === 'object' && one !== null && 'forgetAfter' in one;
}

function headOf(publisher: bigint, sequence: number, publishedAt: number) {
  const publisherHigh = Number(publisher >> 32n) | 0;
  const publisherLow = Number(publisher & 0xffff_ffffn) | 0;
  return { present: true, publisherHigh, publisherLow, sequence, publishedAt };
}

function byId(accounts: readonly PublisherAccount[]): PublisherAccount[] {
  return [...accounts].sort((a, b) => (a.publisherId < b.publisherId ? -1 : 1));
}
