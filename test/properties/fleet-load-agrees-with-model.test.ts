import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FleetEvent, FleetStart } from '../../src/core/events/fleet-event.js';
import type { RecordedInput } from '../../src/wire/recording/recording.js';
import type { LoadPolicy } from '../../src/core/policy/load-policy.js';
import { policies } from '../../src/core/policy/policies.js';
import { FleetLoad } from '../../src/core/state/fleet-load.js';
import type { Transition } from '../../src/core/state/fleet-step.js';
import { firstStep, step } from '../../src/testing/model/model.js';
import { countsOf } from '../../src/testing/model/verdicts.js';
import { anyEvent, endEvent } from '../support/any-event.js';
import { fleetEventsOf } from '../support/fleet-events.js';
import { id } from '../support/fleet.js';
import { runs } from '../support/runs.js';

/** Plays a history through the model and the fast state, and compares everything that leaves them. */
function expectAgreement(policy: LoadPolicy, start: FleetStart, events: readonly RecordedInput[]): void {
  const fast = new FleetLoad(policy, start);
  let { state } = firstStep(policy, start);
  // A recorded snapshot of instances becomes the difference from the one before.
  const inputs = fleetEventsOf(events, start);
  const transitionsOf: Record<'made' | 'meant', Transition[]> = { made: [], meant: [] };
  for (const [at, event] of events.entries()) {
    if (fast.ended) break;
    const meant = step(state, event, at);
    const made = fast.apply(inputs[at] as FleetEvent, at);
    const { transitions = [], cleanups = [], problems = [] } = made ?? {};
    const message = `after event ${at}, ${event.kind}`;
    expect({ cleanups, problems }, message).toEqual({ cleanups: meant.cleanups, problems: meant.problems });
    expect(transitions.map(whoAndHow), message).toEqual(meant.transitions.map(whoAndHow));
    transitionsOf.made.push(...transitions);
    transitionsOf.meant.push(...meant.transitions);
    if (meant.transitions.length > 0) expect([...fast.busy], message).toEqual([...meant.state.busy.keys()]);
    expect(fast.fleet, message).toEqual(countsOf(meant.state));
    ({ state } = meant);
  }
  // Verdicts are read late: what happened since must not show in them.
  expect(transitionsOf.made).toEqual(transitionsOf.meant);
}

function whoAndHow({ workerId, from, to, busy, at }: Transition): unknown {
  return { workerId, from, to, busy, at };
}

const start: fc.Arbitrary<FleetStart> = fc.record(
  {
    thresholds: fc.record({
      activeDecodeBlocksThreshold: fc.constantFrom(0.5, undefined),
      activePrefillTokensThreshold: fc.constantFrom(50, undefined),
      activePrefillTokensThresholdFrac: fc.constantFrom(1, undefined),
    }),
    decodeInstances: fc.constantFrom([], [id(1)], [id(1), id(2), id(3)]),
    prefillInstances: fc.constantFrom([], [id(2)]),
    loads: fc.constantFrom(true, true, true, true, false),
    configs: fc.boolean(),
    role: fc.constantFrom('aggregated' as const, 'decode' as const, 'prefill' as const),
  },
  { requiredKeys: ['thresholds'] },
);

/** Mixed policies: each cell is from any row, so that no combination is special. */
const mixedPolicy: fc.Arbitrary<LoadPolicy> = fc
  .tuple(
    ...Object.keys(policies.default).map((cell) =>
      fc
        .constantFrom(...Object.values(policies))
        .map((row) => [cell, row[cell as keyof LoadPolicy]] as const),
    ),
  )
  .map((cells) => Object.fromEntries(cells) as unknown as LoadPolicy);
const rollUps = fc.constantFrom<LoadPolicy['rollUp']>('all', 'any', { atLeast: 2 });

const historyLength = 60;
/** Histories are half as long as the longest on average, so all of one policy's together have `runs` events. */
const histories = Math.ceil(runs / (historyLength / 2));

describe('fast state', () => {
  it.each<LoadPolicy>(Object.values(policies))(
    'agrees with the model on random histories under $name',
    (policy) => {
      const events = fc.array(
        fc.oneof({ weight: 60, arbitrary: anyEvent({ workers: 4, maxRanks: 3 }) }, endEvent),
        { maxLength: historyLength, size: 'max' },
      );
      fc.assert(
        fc.property(start, events, rollUps, (begin, history, rollUp) =>
          expectAgreement({ ...policy, rollUp }, begin, history),
        ),
        { numRuns: histories },
      );
    },
  );

  it('agrees when a change without a watch comes while another watch waits', () => {
    expectAgreement(policies['dynamo-1.0'], {}, [
      { kind: 'prefillAttached', workerIds: [] },
      { kind: 'prefillAttached', workerIds: [id(1)] },
      { kind: 'instance', workerId: id(1), present: false, role: 'prefill' },
      { kind: 'prefillClosed', watch: 0 },
      { kind: 'prefillInstances', workerIds: [] },
    ]);
  });

  it('agrees with the model under policies mixed from all rows', () => {
    const events = fc.array(
      fc.oneof({ weight: 60, arbitrary: anyEvent({ workers: 4, maxRanks: 3 }) }, endEvent),
      { maxLength: historyLength, size: 'max' },
    );
    fc.assert(
      fc.property(start, events, mixedPolicy, rollUps, (begin, history, policy, rollUp) =>
        expectAgreement({ ...policy, rollUp }, begin, history),
      ),
      { numRuns: histories },
    );
  });

  it.each<LoadPolicy>(Object.values(policies))(
    'agrees over several growth steps of its storage under $name',
    (policy) => {
      const events = fc.array(anyEvent({ workers: 60, maxRanks: 20 }), {
        minLength: 400,
        maxLength: 600,
        size: 'max',
      });
      fc.assert(
        fc.property(start, events, (begin, history) => expectAgreement(policy, begin, history)),
        { numRuns: Math.max(2, Math.ceil(runs / 20_000)) },
      );
    },
  );
});
