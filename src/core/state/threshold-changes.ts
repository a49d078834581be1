import type { FleetEvent, ThresholdsChanged } from '../events/fleet-event.js';
import { thresholdFormProblems } from '../policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import { fleetProblems } from './fleet-problems.js';

/**
 * The events of a change of thresholds that a source emits: the change, to be validated by the policy. A change whose form
 * no policy accepts, such as `null`, a text, or an unknown name, becomes one problem for each mistake.
 */
export function thresholdChangeEvents(change: LoadThresholdUpdate): FleetEvent[] {
  const problems = thresholdFormProblems(change);
  if (problems.length === 0) return [{ kind: 'thresholds', ...change, checked: true }];
  return problems.map((text) => ({ kind: 'problem', problem: fleetProblems.thresholdOutOfRange(text) }));
}

/** The change of thresholds in an event, without the other properties of the event. */
export function changeInEvent(event: ThresholdsChanged): LoadThresholdUpdate {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'kind' && name !== 'checked'));
}
