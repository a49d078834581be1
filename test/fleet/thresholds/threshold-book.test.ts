import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThresholdError } from '../../../src/core/policy/load-threshold-config.js';
import { type LoadThresholdUpdate, thresholdNames } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import { ThresholdBook, ThresholdBookError } from '../../../src/fleet/thresholds/threshold-book.js';
import {
  type EntryTarget,
  type ThresholdChange,
  type ThresholdOrigin,
  targetOf,
} from '../../../src/fleet/thresholds/threshold-entry.js';
import { id } from '../../support/fleet.js';
import { runs } from '../../support/runs.js';

const origin: ThresholdOrigin = { at: '2026-12-01T00:00:00.000Z', address: null, token: null, route: 'test' };
const base = {
  activeDecodeBlocksThreshold: 0.1,
  activePrefillTokensThreshold: null,
  activePrefillTokensThresholdFrac: null,
};

function newBook(): ThresholdBook {
  const sources = { activeDecodeBlocksThreshold: 'flag --active-decode-blocks-threshold' };
  return new ThresholdBook({ policy: policies.default, thresholds: base, sources });
}

const models = ['llama', 'qwen'];
const workers = [id(1), id(2)];
const anyTarget = fc
  .record({
    model: fc.constantFrom(undefined, ...models),
    role: fc.constantFrom(undefined, 'decode' as const, 'prefill' as const),
    workerId: fc.constantFrom(undefined, ...workers),
  })
  .map(targetOf);
const anyFraction = fc.constantFrom(undefined, null, 0, 0.25, 0.5);
const anyChange = fc.record({
  activeDecodeBlocksThreshold: anyFraction,
  activePrefillTokensThreshold: fc.constantFrom(undefined, null, 7, 2n ** 63n),
  activePrefillTokensThresholdFrac: anyFraction,
});
type Action = readonly ['set' | 'replace' | 'unset', EntryTarget, LoadThresholdUpdate];
const anyActions = fc.array(
  fc.tuple(fc.constantFrom('set' as const, 'replace' as const, 'unset' as const), anyTarget, anyChange),
  { maxLength: 12 },
);
const givenNames = (change: LoadThresholdUpdate) =>
  thresholdNames.filter((name) => change[name] !== undefined);

function act(book: ThresholdBook, [action, target, change]: Action): ThresholdChange | null {
  if (action === 'unset') return book.unset(target, origin, givenNames(change));
  return book[action](target, change, origin);
}

/** How specific a target is: the worker counts most, then the role, then the model. */
const rankOf = ({ workerId, role, model }: EntryTarget): number =>
  (workerId === undefined ? 0 : 4) + (role === undefined ? 0 : 2) + (model === undefined ? 0 : 1);

describe('ThresholdBook', () => {
  it('resolves each threshold by itself: of the entries that apply and set it, the most specific one wins; then the base', () => {
    const pools = models.flatMap((model) =>
      (['decode', 'prefill'] as const).map((role) => ({ model, role })),
    );
    fc.assert(
      fc.property(
        anyActions,
        fc.constantFrom(...pools),
        fc.constantFrom(undefined, ...workers),
        (actions, pool, worker) => {
          const book = newBook();
          for (const action of actions) act(book, action);
          const resolved = book.resolve(pool, worker);
          for (const name of thresholdNames) {
            const [winner] = book
              .entries()
              .filter(({ target: { model, role, workerId }, thresholds }) => {
                const applies =
                  (model ?? pool.model) === pool.model &&
                  (role ?? pool.role) === pool.role &&
                  (workerId ?? worker) === worker;
                return applies && thresholds[name] !== undefined;
              })
              .sort((a, b) => rankOf(b.target) - rankOf(a.target));
            const { value, target } = resolved[name];
            expect([value, target]).toEqual(
              winner ? [winner.thresholds[name], winner.target] : [base[name], undefined],
            );
          }
        },
      ),
      { numRuns: runs },
    );
  });

  it('keeps one entry for each target, which has what was set last and not removed since', () => {
    fc.assert(
      fc.property(anyActions, (actions) => {
        const book = newBook();
        const meant = new Map<string, Record<string, unknown>>();
        for (const [action, target, change] of actions) {
          act(book, [action, target, change]);
          const key = JSON.stringify(Object.entries(target));
          const given = Object.fromEntries(givenNames(change).map((name) => [name, change[name]]));
          const before = action === 'replace' ? {} : (meant.get(key) ?? {});
          const after = action === 'unset' ? { ...before } : { ...before, ...given };
          if (action === 'unset') for (const name of givenNames(change)) delete after[name];
          if (Object.keys(after).length === 0) meant.delete(key);
          else meant.set(key, after);
        }
        const made = book
          .entries()
          .map(({ target, thresholds }) => [JSON.stringify(Object.entries(target)), thresholds] as const);
        expect(new Map(made)).toEqual(meant);
      }),
      { numRuns: runs },
    );
  });

  it('emits every change once, from what was set before to what is set after; what changes nothing is no change', () => {
    fc.assert(
      fc.property(anyActions, (actions) => {
        const book = newBook();
        const emitted: ThresholdChange[] = [];
        book.changes$.subscribe((change) => emitted.push(change));
        const returned: ThresholdChange[] = [];
        for (const action of actions) {
          const entry = () =>
            book.entries().find(({ target }) => JSON.stringify(target) === JSON.stringify(action[1]))
              ?.thresholds ?? null;
          const before = entry();
          const change = act(book, action);
          const after = entry();
          if (change === null) expect(after).toEqual(before);
          else {
            returned.push(change);
            expect(change).toEqual({ target: action[1], before, after, origin });
            expect(after).not.toEqual(before);
          }
        }
        expect(emitted).toEqual(returned);
        expect(book.changes()).toEqual(returned);
      }),
      { numRuns: runs },
    );
  });

  it('loads another book, and emits exactly what differs', () => {
    fc.assert(
      fc.property(anyActions, anyActions, (mine, theirs) => {
        const [book, other] = [newBook(), newBook()];
        for (const action of mine) act(book, action);
        for (const action of theirs) act(other, action);
        const followed = new Map(
          book.entries().map(({ target, thresholds }) => [JSON.stringify(target), thresholds]),
        );
        book.changes$.subscribe(({ target, before, after }) => {
          const key = JSON.stringify(target);
          expect(before).toEqual(followed.get(key) ?? null);
          expect(after).not.toEqual(before);
          if (after === null) followed.delete(key);
          else followed.set(key, after);
        });
        book.load(other.entries(), other.changes());
        expect(book.entries()).toEqual(other.entries());
        expect(book.changes()).toEqual(other.changes());
        expect(followed).toEqual(
          new Map(other.entries().map(({ target, thresholds }) => [JSON.stringify(target), thresholds])),
        );
      }),
      { numRuns: runs },
    );
  });

  it('says where a threshold of the base comes from', () => {
    const { activeDecodeBlocksThreshold, activePrefillTokensThreshold } = newBook().resolve({
      model: 'llama',
    });
    expect(activeDecodeBlocksThreshold).toEqual({
      value: 0.1,
      source: 'flag --active-decode-blocks-threshold',
    });
    expect(activePrefillTokensThreshold).toEqual({ value: null, source: 'start' });
  });

  it.each([
    ['outside its range', { activeDecodeBlocksThreshold: 2 }],
    ['as text', { activeDecodeBlocksThreshold: '0.5' }],
    ['under a misspelt name', { activeDecodeBlockThreshold: 0.5 }],
  ])('refuses a threshold %s, and keeps what was set', (_, change) => {
    const book = newBook();
    book.set({ model: 'llama' }, { activeDecodeBlocksThreshold: 0.5 }, origin);
    const before = book.entries();
    for (const refuse of ['set', 'replace'] as const)
      expect(() => book[refuse]({ model: 'llama' }, change as LoadThresholdUpdate, origin)).toThrow(
        ThresholdError,
      );
    expect(book.entries()).toEqual(before);
  });

  it('refuses the 10 001st target until one is removed, and keeps the latest 100 changes', () => {
    const book = newBook();
    const set = (n: number) => book.set({ workerId: id(n) }, { activePrefillTokensThreshold: n }, origin);
    for (let n = 1; n <= 10_000; n += 1) set(n);
    expect(() => set(10_001)).toThrow(ThresholdBookError);
    // A target that has thresholds already can still be changed.
    book.set({ workerId: id(1) }, { activePrefillTokensThreshold: 0 }, origin);
    book.unset({ workerId: id(2) }, origin);
    set(10_001);
    expect(book.entries()).toHaveLength(10_000);
    expect(book.changes()).toHaveLength(100);
    expect(book.changes().at(-1)?.target).toEqual({ workerId: id(10_001) });
  });

  it('the thresholds of one worker are those of the entries that name it', () => {
    const book = newBook();
    const llama = { model: 'llama' };
    expect(book.ownThresholdsOf(llama, id(1))).toBeNull();
    book.set({}, { activeDecodeBlocksThreshold: 0.1 }, origin);
    book.set(llama, { activePrefillTokensThresholdFrac: 1 }, origin);
    expect(book.ownThresholdsOf(llama, id(1))).toBeNull();
    book.set({ workerId: id(1) }, { activePrefillTokensThreshold: null }, origin);
    book.set({ workerId: id(1), ...llama }, { activeDecodeBlocksThreshold: 0.5 }, origin);
    expect(book.ownThresholdsOf(llama, id(1))).toEqual({
      activeDecodeBlocksThreshold: 0.5,
      activePrefillTokensThreshold: null,
    });
    expect(book.ownThresholdsOf({ model: 'qwen' }, id(1))).toEqual({ activePrefillTokensThreshold: null });
    expect(book.ownThresholdsOf(llama, id(2))).toBeNull();
  });

  it('lists the workers with thresholds of their own that could be in a pool', () => {
    const book = newBook();
    const change = { activePrefillTokensThreshold: 1 };
    book.set({ workerId: id(1) }, change, origin);
    book.set({ workerId: id(2), model: 'llama', role: 'prefill' }, change, origin);
    book.set({ workerId: id(2), model: 'llama' }, change, origin);
    book.set({ model: 'llama' }, change, origin);
    expect(book.workersIn({ model: 'llama' })).toEqual([id(1), id(2)]);
    expect(book.workersIn({ model: 'llama', role: 'prefill' })).toEqual([id(1), id(2)]);
    expect(book.workersIn({ model: 'qwen' })).toEqual([id(1)]);
    expect(book.hasModel('llama')).toBe(true);
    expect(book.hasModel('qwen')).toBe(false);
  });
});
