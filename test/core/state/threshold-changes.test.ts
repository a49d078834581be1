import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ThresholdsChanged } from '../../../src/core/events/fleet-event.js';
import { thresholdProblems } from '../../../src/core/policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import { FleetLoad } from '../../../src/core/state/fleet-load.js';
import { thresholdChangeEvents } from '../../../src/core/state/threshold-changes.js';
import { firstStep, step } from '../../../src/testing/model/model.js';

/** What JavaScript and JSON may pass for a change of thresholds. */
const anything = fc.oneof(
  fc.constantFrom(null, undefined, '0.5', 0.5, true, [], new Map()),
  fc.dictionary(
    fc.constantFrom(
      'activeDecodeBlocksThreshold',
      'activePrefillTokensThreshold',
      'activeDecodeBlockThreshold',
      'kind',
    ),
    fc.constantFrom<unknown>('0.5', 'stop', 0.5, 20, 2n ** 60n, null, undefined, -1, NaN, {}),
  ),
);

describe('a change of thresholds from a source', () => {
  it('whatever it is - the reducer continues, and reports what the policy refuses', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(...Object.values(policies)), (emitted, policy) => {
        const change = emitted as LoadThresholdUpdate;
        const fleet = new FleetLoad(policy, { thresholds: { activePrefillTokensThreshold: 10 } });
        const before = fleet.thresholds;
        const problems = thresholdChangeEvents(change).flatMap(
          (event) => fleet.apply(event, 1)?.problems ?? [],
        );
        const refused = thresholdProblems(change, policy);
        expect(problems.map(({ code, source }) => ({ code, source }))).toEqual(
          problems.map(() => ({ code: 'threshold-out-of-range', source: 'thresholds' })),
        );
        expect(problems.map(({ text }) => text)).toEqual(expect.arrayContaining(refused));
        expect(problems.length > 0).toBe(refused.length > 0);
        if (refused.length > 0) {
          expect(fleet.thresholds).toBe(before);
          const [next] = thresholdChangeEvents({ activePrefillTokensThreshold: 20 });
          expect(next && fleet.apply(next, 2)?.thresholds.activePrefillTokensThreshold).toBe(20);
        } else expect(fleet.thresholds).toEqual(before.set(change));
      }),
    );
  });

  it('as an event of one’s own, with `checked` - the reducer and the model refuse the same', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(...Object.values(policies)), (emitted, policy) => {
        const event = { ...(emitted as object), kind: 'thresholds', checked: true } as ThresholdsChanged;
        const meant = step(firstStep(policy).state, event, 1);
        const fleet = new FleetLoad(policy);
        expect(fleet.apply(event, 1)?.problems ?? []).toEqual(meant.problems);
        expect(fleet.thresholds).toEqual(meant.state.thresholds);
      }),
    );
  });

  it('null, a text, a misspelt name, and the kind of another event', () => {
    const texts = (change: unknown): unknown[] =>
      thresholdChangeEvents(change as LoadThresholdUpdate).map((event) =>
        event.kind === 'problem' ? event.problem.text : event,
      );
    expect(texts(null)).toEqual([expect.stringContaining('not null')]);
    expect(texts({ kind: 'stop' })).toEqual([
      expect.stringContaining('"kind" is not the name of a threshold'),
    ]);
    expect(texts({ activeDecodeBlockThreshold: 0.5, activePrefillTokensThreshold: '10' })).toEqual([
      '"activeDecodeBlockThreshold" is not the name of a threshold; the nearest name is activeDecodeBlocksThreshold',
      'activePrefillTokensThreshold must be a number or null, not the text "10"',
    ]);
    expect(texts({ activePrefillTokensThreshold: -1 })).toEqual([
      { kind: 'thresholds', activePrefillTokensThreshold: -1, checked: true },
    ]);
  });
});
