import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadAccounting } from '../../../src/dynamo/loads/load-accounting.js';
import { headerOf } from '../../support/load-headers.js';
import { runs } from '../../support/runs.js';

/** A worker and rank whose loads a publisher sends. */
interface Sender {
  readonly worker: number;
  readonly dpRank: number;
}

/** A publisher with its own numbers. Several may have one id. */
interface Publisher {
  readonly id: number;
  readonly senders: readonly Sender[];
  /** The number of its first message that can be received. */
  readonly start: number;
}

/** What happens to the next messages of one publisher. */
interface Action {
  readonly publisher: number;
  readonly sender: number;
  readonly messages: number;
  readonly what: 'publish' | 'lose' | 'duplicate' | 'restart';
  readonly pauseMs: number;
}

/** What the accounting said, and what had been lost. */
interface Outcome {
  readonly accounting: LoadAccounting;
  readonly reported: readonly string[];
  readonly lost: readonly string[];
}

const SETTLING = 10;

/**
 * Sends the messages of all publishers. The first and the last messages of every publisher are received: it is not known
 * yet who shares numbers, and what was lost at the end is in no gap.
 */
function send(publishers: readonly Publisher[], actions: readonly Action[], losing: boolean): Outcome {
  const accounting = new LoadAccounting();
  const states = publishers.map(({ start }) => ({ next: start, sent: 0 }));
  const lost: string[] = [];
  const reported: string[] = [];
  let now = 0;
  const publish = (index: number, sender: number, isLost: boolean, copies: number): void => {
    const { id, senders } = publishers[index]!;
    const state = states[index]!;
    const { worker, dpRank } = senders[sender % senders.length]!;
    now += 1;
    const header = headerOf({ publisher: id, worker, dpRank, sequence: state.next, publishedAt: now });
    accounting.setTime(now, now);
    if (isLost) lost.push(`${id}#${state.next}`);
    else for (let copy = 0; copy < copies; copy += 1) accounting.countLoad(header, 1);
    state.next += 1;
    state.sent += 1;
    for (const { publisherId, from, to } of accounting.takeGaps())
      for (let number = from; number <= to; number += 1) reported.push(`${publisherId}#${number}`);
  };
  const everySender = (): void => {
    for (let n = 0; n < SETTLING; n += 1) {
      publishers.forEach(({ senders }, index) =>
        senders.forEach((_, sender) => publish(index, sender, false, 1)),
      );
    }
  };
  everySender();
  for (const { publisher, sender, messages, what, pauseMs } of actions) {
    const index = publisher % publishers.length;
    const state = states[index]!;
    now += pauseMs;
    if (what === 'restart') Object.assign(state, { next: 0, sent: 0 });
    for (let n = 0; n < messages; n += 1)
      publish(
        index,
        sender,
        losing && what === 'lose' && state.sent > SETTLING,
        what === 'duplicate' ? 2 : 1,
      );
  }
  everySender();
  return { accounting, reported, lost };
}

const rank = (dpRank: number): Sender => ({ worker: 1, dpRank });
const worker = (id: number): Sender => ({ worker: id, dpRank: 0 });
const starts = fc.uniqueArray(
  fc.nat(40).map((n) => n * 100),
  { minLength: 3, maxLength: 3 },
);

const layouts: Readonly<Record<string, (starts: readonly number[]) => readonly Publisher[]>> = {
  'one publisher for each rank, each with its own id': (at) =>
    [0, 1, 2].map((n) => ({ id: n, senders: [rank(n)], start: at[n]! })),
  'one publisher for all ranks': (at) => [{ id: 1, senders: [0, 1, 2].map(rank), start: at[0]! }],
  'one publisher for each rank, all with one id': (at) =>
    [0, 1, 2].map((n) => ({ id: 1, senders: [rank(n)], start: at[n]! })),
  'a router of several workers': (at) => [{ id: 9, senders: [1, 2, 3, 4].map(worker), start: at[0]! }],
  'two routers of one worker each': (at) =>
    [1, 2].map((n) => ({ id: 9, senders: [worker(n)], start: at[n]! })),
};
const unclear: typeof layouts = {
  'two routers of several workers': (at) => [
    { id: 9, senders: [1, 2, 3].map(worker), start: at[0]! },
    { id: 9, senders: [4, 5].map(worker), start: at[1]! },
  ],
};
const ofOneRank: typeof layouts = {
  'two publishers of one rank': (at) => [0, 1].map((n) => ({ id: 1, senders: [rank(0)], start: at[n]! })),
  'two publishers of one rank, in step': (at) =>
    [0, 1].map(() => ({ id: 1, senders: [rank(0)], start: at[0]! })),
};

const actionsOf = (what: readonly Action['what'][], maxMessages: number): fc.Arbitrary<Action[]> =>
  fc.array(
    fc.record({
      publisher: fc.nat(2),
      sender: fc.nat(3),
      messages: fc.integer({ min: 1, max: maxMessages }),
      what: fc.constantFrom(...what),
      pauseMs: fc.constantFrom(0, 10, 500, 3000),
    }),
    { maxLength: 60, size: 'max' },
  );

const parameters = { numRuns: Math.ceil(runs / 20) };

describe('publishers', () => {
  it.each(Object.entries({ ...layouts, ...unclear }))(
    '%s: nothing is missing if nothing was lost',
    (_, layout) => {
      fc.assert(
        fc.property(starts, actionsOf(['publish', 'publish', 'duplicate', 'restart'], 7), (at, actions) => {
          const { accounting, reported } = send(layout(at), actions, false);
          expect(reported).toEqual([]);
          expect(accounting.snapshot().sequences).toMatchObject({ missing: 0, gaps: 0, missingDetached: 0 });
        }),
        parameters,
      );
    },
  );

  it.each(Object.entries(ofOneRank))('%s: nothing is missing if both publish in turn', (_, layout) => {
    fc.assert(
      fc.property(starts, actionsOf(['publish', 'duplicate', 'restart'], 2), (at, actions) => {
        const inTurn = actions.map((action, index) => ({ ...action, publisher: index % 2 }));
        const { accounting, reported } = send(layout(at), inTurn, false);
        expect(reported).toEqual([]);
        expect(accounting.snapshot().sequences).toMatchObject({ missing: 0, gaps: 0, missingDetached: 0 });
      }),
      parameters,
    );
  });

  it.each(Object.entries(layouts))('%s: exactly what was lost is missing', (_, layout) => {
    fc.assert(
      fc.property(starts, actionsOf(['publish', 'publish', 'lose'], 30), (at, actions) => {
        const { accounting, reported, lost } = send(layout(at), actions, true);
        const { sequences, publishers } = accounting.snapshot();
        expect(publishers.notAccountable).toBe(0);
        expect([...reported].sort()).toEqual([...lost].sort());
        expect(sequences.missing).toBe(lost.length);
      }),
      parameters,
    );
  });

  it('one publisher that restarts: exactly what was lost within a run is missing', () => {
    fc.assert(
      fc.property(fc.nat(1000), actionsOf(['publish', 'lose', 'restart'], 20), (start, actions) => {
        const { accounting, reported, lost } = send(
          [{ id: 1, senders: [rank(0)], start }],
          withoutLostEnds(actions),
          true,
        );
        expect(accounting.publishers()[0]?.notAccountable).toBeNull();
        expect([...reported].sort()).toEqual([...lost].sort());
      }),
      parameters,
    );
  });
});

/** Before a restart, one more message is received: how many a run lost at its end cannot be known. */
function withoutLostEnds(actions: readonly Action[]): Action[] {
  return actions.flatMap((action) =>
    action.what === 'restart' ? [{ ...action, what: 'publish', messages: SETTLING }, action] : [action],
  );
}
