import type { FleetEvent, PoolRole, ThresholdTarget, ThresholdsChanged } from '../events/fleet-event.js';
import { thresholdFormProblems } from '../policy/load-threshold-config.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import { type LoadThresholdUpdate, thresholdNames } from '../policy/load-thresholds.js';
import type { WorkerId } from '../worker-id.js';
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

/** Whether a change of thresholds applies to a pool of a role, or to a worker of any pool. */
export function appliesTo({ target = 'everything' }: ThresholdsChanged, role: PoolRole): boolean {
  return target === 'everything' || 'workerId' in target || target.role === role;
}

/** The worker that is the target of a change; `undefined` if its target is a pool. */
export function workerOf({ target = 'everything' }: ThresholdsChanged): WorkerId | undefined {
  return target !== 'everything' && 'workerId' in target ? target.workerId : undefined;
}

/** The thresholds that a change gives to a worker as its own; `null` if there are none. */
export function ownThresholdsIn(event: ThresholdsChanged, policy: LoadPolicy): LoadThresholdUpdate | null {
  const isOff = event.nullTurnsOff === true || policy.nullThreshold === 'off';
  const given = thresholdNames.filter((name) => event[name] !== undefined && (event[name] !== null || isOff));
  return given.length === 0 ? null : Object.fromEntries(given.map((name) => [name, event[name]]));
}
