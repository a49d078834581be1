import { describe, expect, it } from 'vitest';
import {
  type FleetCounts,
  type FleetState,
  fleetStateOf,
  modelStateOf,
} from '../../../src/core/judgement/fleet-state.js';
import { policies } from '../../../src/core/policy/policies.js';

/** Workers of each state. */
function counts(busy: number, free: number, unknown: number): FleetCounts {
  const workers = busy + free + unknown;
  return {
    workers,
    busy,
    free,
    unknown,
    known: workers,
    held: 0,
    overloadMarked: 0,
    instances: workers,
    down: 0,
  };
}

const pools: Readonly<Record<FleetState, FleetCounts>> = {
  none: counts(0, 0, 0),
  'all-busy': counts(2, 0, 0),
  unknown: counts(0, 0, 2),
  partial: counts(1, 1, 0),
  free: counts(0, 1, 1),
};
const states = Object.keys(pools) as FleetState[];

describe('the state of a pool', () => {
  it.each(states)('%s', (state) => expect(fleetStateOf(pools[state])).toBe(state));

  it('is not all-busy with a worker that cannot be judged', () =>
    expect(fleetStateOf(counts(2, 0, 1))).toBe('partial'));
});

describe('the state of a model', () => {
  // From worst to best.
  it.each(states.flatMap((decode) => states.map((prefill) => [decode, prefill] as const)))(
    'decode %s and prefill %s: the worse one, and no prefill workers are no outage',
    (decode, prefill) => {
      const roles = { decode: pools[decode], prefill: pools[prefill] };
      const worse =
        prefill === 'none' ? decode : states[Math.min(states.indexOf(decode), states.indexOf(prefill))];
      expect(modelStateOf(roles, policies.default)).toBe(worse);
      expect(modelStateOf(roles, policies['dynamo-1.6'])).toBe(worse);
      expect(modelStateOf(roles, policies['dynamo-1.1'])).toBe(decode);
    },
  );

  it.each(states)('without decode workers it is none, with prefill %s', (prefill) =>
    expect(modelStateOf({ decode: null, prefill: pools[prefill] }, policies.default)).toBe('none'),
  );
});
