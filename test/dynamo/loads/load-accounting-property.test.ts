import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublisherAccount, SequenceGap } from '../../../src/wire/loads/load-account.js';
import { LoadAccounting } from '../../../src/dynamo/loads/load-accounting.js';
import { CONFIRMING_MESSAGES, MAX_PLAIN_GAP } from '../../../src/dynamo/loads/publisher-runs.js';
import { headerOf } from '../../support/load-headers.js';
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
    const isDuplicate = sequence === one.lastSequence && sequence !== one.lastSequence + 1;
    if (isDuplicate) return this.raise(one, 'late', 1);
    if (sequence > one.lastSequence + 1) this.miss(one, one.lastSequence + 1, sequence - 1);
    Object.assign(one, { lastSequence: sequence, lastPublishedAt: publishedAt, gap: false });
  }

  detached(): void {
    for (const one of this.known.values()) one.gap = true;
  }

  forgetSilent(before: number): void {
    for (const [id, { lastReceivedAt }] of [...this.known]) if (lastReceivedAt < before) this.forget(id);
  }

  private miss(one: Mutable<PublisherAccount>, from: number, to: number): void {
    const { publisherId, gap: detached, lastReceivedAt: seenAt } = one;
    const missing = to - from + 1;
    this.gaps.push({ publisherId, from, to, missing, detached, restarted: false, seenAt });
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
    notAccountable: null,
  };
}

const id = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt(0n, 4n) },
  { weight: 2, arbitrary: fc.bigInt(0n, 300n) },
  { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
);
const message: fc.Arbitrary<Message> = fc.record({
  id,
  /** Added to the last number. The other rules are those of publishers that share an id. */
  step: fc.constantFrom(1, 1, 1, 1, 2, 5, MAX_PLAIN_GAP, 0),
  /** The first number. */
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
            notAccountable: 0,
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
        // A gap at the end is reported when more messages follow.
        const after = sent.at(-1) ?? first;
        for (let n = 1; n <= CONFIRMING_MESSAGES; n += 1) sent.push(after + n);
        for (const sequence of sent) accounting.countLoad(headerOf({ publisher: 7n, sequence }), 1);
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
    const next = last === undefined ? sequence : last + step;
    const at = next === last ? (model.known.get(String(id))?.lastPublishedAt ?? 0) : publishedAt;
    accounting.countLoad(headerOf({ publisher: id, sequence: next, publishedAt: at }), 1);
    model.add(String(id), next, at, now);
  }
}

function isForget(one: unknown): one is { readonly forgetAfter: number } {
  return typeof one === 'object' && one !== null && 'forgetAfter' in one;
}

function byId(accounts: readonly PublisherAccount[]): PublisherAccount[] {
  return [...accounts].sort((a, b) => (a.publisherId < b.publisherId ? -1 : 1));
}
