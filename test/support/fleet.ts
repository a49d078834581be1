import type { FleetStart, LoadReceived } from '../../src/core/events/fleet-event.js';
import type { LoadPolicy } from '../../src/core/policy/load-policy.js';
import { policies } from '../../src/core/policy/policies.js';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import type { RecordedInput } from '../../src/wire/recording/recording.js';
import { firstStep, step, type ModelStep } from '../../src/testing/model/model.js';

export const id = (text: string | number): WorkerId => workerId(String(text));

/** A load, by default of worker 7, rank 0. */
export function load(values: Partial<Omit<LoadReceived, 'kind'>> = {}): LoadReceived {
  const silent = { activeDecodeBlocks: null, activePrefillTokens: null, kvUsedBlocks: null };
  return { kind: 'load', workerId: id(7), dpRank: 0, ...silent, ...values };
}

/** What the model makes of events, one step each, at 0, 1, 2 … ms. */
export function play(
  events: readonly RecordedInput[],
  start: FleetStart = {},
  policy: LoadPolicy = policies.default,
): ModelStep[] {
  let { state } = firstStep(policy, start);
  return events.map((event, at) => {
    const result = step(state, event, at);
    state = result.state;
    return result;
  });
}

/** The busy workers after each event. */
export function busyAfterEach(
  events: readonly RecordedInput[],
  start?: FleetStart,
  policy?: LoadPolicy,
): string[][] {
  return play(events, start, policy).map(({ state }) => [...state.busy.keys()]);
}
