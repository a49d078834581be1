import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policies } from '../../src/core/policy/policies.js';
import { FleetLoad } from '../../src/core/state/fleet-load.js';
import type { FleetStep } from '../../src/core/state/fleet-step.js';
import type { RecordedInput } from '../../src/wire/recording/recording.js';
import { anyEvent } from '../support/any-event.js';
import { fleetEventsOf } from '../support/fleet-events.js';
import { id, load } from '../support/fleet.js';

const wide = 2n ** 64n - 1n;
const [known, other] = [id(3), id('18446744073709551615')];

/** Everything that leaves a load state during a history: the steps, and what can be asked after each event. */
function emittedValues(events: readonly RecordedInput[], name: keyof typeof policies): object[] {
  const fleet = new FleetLoad(policies[name], { thresholds: { activePrefillTokensThreshold: wide } });
  return fleetEventsOf(events).flatMap((event, at) => {
    const step: FleetStep | null = fleet.apply(event, at);
    const { busy, fleet: counts, thresholds } = fleet;
    const snapshot = { busy, fleet: counts, thresholds, status: [] };
    const explanations = [fleet.explain(known), fleet.explain(other)].filter((one) => one !== undefined);
    return [...(step === null ? [] : [step]), snapshot, fleet.ranks(), ...explanations];
  });
}

const histories = fc.tuple(
  fc.array(anyEvent({ workers: 3, maxRanks: 2 }), { maxLength: 25 }),
  fc.constantFrom(...(Object.keys(policies) as (keyof typeof policies)[])),
);

describe('every value that leaves a load state', () => {
  it('has the same JSON whenever it is made', () => {
    fc.assert(
      fc.property(histories, ([events, name]) => {
        const late = emittedValues(events, name);
        const atOnce = events.flatMap((_, at) =>
          emittedValues(events.slice(0, at + 1), name)
            .slice(emittedValues(events.slice(0, at), name).length)
            .map((value) => JSON.stringify(value)),
        );
        expect(late.map((value) => JSON.stringify(value))).toEqual(atOnce);
      }),
      { numRuns: 60 },
    );
  });

  it('is deep-equal to the value of another run, whichever is read first', () => {
    fc.assert(
      fc.property(histories, ([events, name]) => {
        const [one, another] = [emittedValues(events, name), emittedValues(events, name)];
        for (const value of another.toReversed()) JSON.stringify(value);
        deepStrictEqual(one, another);
        expect(one).toEqual(another);
        expect(one).toStrictEqual(another);
      }),
      { numRuns: 100 },
    );
  });

  it('is not equal to another value', () => {
    fc.assert(
      fc.property(histories, ([events, name]) => {
        const values = emittedValues(events, name);
        const texts = values.map((value) => inspect(value, { depth: null }));
        for (const [i, a] of values.entries())
          for (const [j, b] of values.entries()) {
            const equal = texts[i] === texts[j];
            if (equal) expect(a).toEqual(b);
            else expect(() => deepStrictEqual(a, b)).toThrow();
          }
      }),
      { numRuns: 15 },
    );
  });

  it('prints values and nothing internal', () => {
    fc.assert(
      fc.property(histories, ([events, name]) => {
        for (const value of emittedValues(events, name)) {
          const text = inspect(value, { depth: null });
          expect(text).not.toMatch(/\[Getter\]|Int32Array|BusyLog|BusySetOf|RankCopy|LazyTransition|policy:/);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a value with a 64-bit number', () => {
  const fleet = new FleetLoad(policies.default, { thresholds: { activePrefillTokensThreshold: 2n ** 60n } });
  const step = fleet.apply(load({ activePrefillTokens: wide }), 5);

  it('a step and its transition - digits as text', () => {
    const json = JSON.parse(JSON.stringify(step)) as unknown;
    expect(json).toMatchObject({
      at: 5,
      busy: ['7'],
      thresholds: { activePrefillTokensThreshold: '1152921504606846976' },
      transitions: [
        {
          workerId: '7',
          verdict: {
            ranks: [
              { checks: [{ value: '18446744073709551615', limit: '1152921504606846976', exceeded: true }] },
            ],
          },
        },
      ],
    });
    expect(Object.keys(json as object)).toEqual(Object.keys(step ?? {}));
  });

  it('an explanation - digits as text', () => {
    expect(JSON.parse(JSON.stringify(fleet.explain(id(7))))).toMatchObject({
      ranks: [
        {
          checks: [
            { value: '18446744073709551615', limit: '1152921504606846976' },
            { value: '18446744073709551615', limit: null },
            { value: null },
            { value: null },
          ],
        },
      ],
    });
  });

  it('the ranks - as plain data, in JSON, and printed', () => {
    const ranks = fleet.ranks();
    expect(ranks.workers).toEqual([
      {
        workerId: '7',
        workerType: 'decode',
        busy: true,
        state: 'busy',
        since: 5,
        overloadMarked: false,
        busySince: 5,
        ranks: [
          {
            rank: 0,
            busy: true,
            activeDecodeBlocks: null,
            activePrefillTokens: wide,
            kvUsedBlocks: null,
            totalKvBlocks: null,
          },
        ],
      },
    ]);
    expect(ranks.workers).toBe(ranks.workers);
    expect(JSON.parse(JSON.stringify(ranks))).toMatchObject({
      workers: [{ ranks: [{ activePrefillTokens: '18446744073709551615' }] }],
    });
    expect(JSON.stringify(ranks.state(0, 0))).toContain('"activePrefillTokens":"18446744073709551615"');
    expect(inspect(ranks)).toMatch(/^FleetRanks \{\n {2}thresholds: LoadThresholdConfig/);
  });

  it('a printed transition shows its verdict', () => {
    expect(inspect(step?.transitions[0])).toMatch(
      /^Transition \{\n {2}workerId: '7',\n {2}from: 'unknown',\n {2}to: 'busy',\n {2}busy: true,\n {2}at: 5,\n {2}verdict: \{/,
    );
  });
});
