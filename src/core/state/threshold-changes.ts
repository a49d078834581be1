import type { FleetEvent, PoolRole, ThresholdTarget, ThresholdsChanged } from '../events/fleet-event.js';
import { thresholdFormProblems } from '../policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../policy/load-thresholds.js';
import { fleetProblems } from './fleet-problems.js';

/**
 * The events of a change of thresholds that a source emits: the change, to be validated by the policy. A change whose form
 * no policy accepts, such as `null`, a text, or an unknown name, becomes one problem for each mistake.
 */
export function thresholdChangeEvents(
  change: LoadThresholdUpdate,
  target: ThresholdTarget = 'everything',
): FleetEvent[] {
  const problems = thresholdFormProblems(change);
  if (problems.length === 0)
    return [{ kind: 'thresholds', ...change, ...(target !== 'everything' && { target }), checked: true }];
  return problems.map((text) => ({ kind: 'problem', problem: fleetProblems.thresholdOutOfRange(text) }));
}

/** The properties of an event of thresholds that are no thresholds. */
const eventNames = new Set<string>([
  'kind',
  'target',
  'checked',
  'nullTurnsOff',
] satisfies (keyof ThresholdsChanged)[]);

/** The change of thresholds in an event, without the other properties of the event. */
export function changeInEvent(event: ThresholdsChanged): LoadThresholdUpdate {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !eventNames.has(name)));
}

/** Whether a change of thresholds applies to a pool of a role. */
export function appliesTo({ target = 'everything' }: ThresholdsChanged, role: PoolRole): boolean {
  return target === 'everything' || target.role === role;
}
