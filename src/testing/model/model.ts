import type { FleetStart } from '../../core/events/fleet-event.js';
import type { RecordedInput } from '../../wire/recording/recording.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { thresholdProblems } from '../../core/policy/load-threshold-config.js';
import type { Problem } from '../../core/sources/problem.js';
import { type Cleanup, mergeCleanups, planCleanups } from '../../core/state/cleanup.js';
import { fleetProblems } from '../../core/state/fleet-problems.js';
import type { Transition } from '../../core/state/fleet-step.js';
import { MAX_WORKERS_WITH_THRESHOLDS } from '../../core/state/own-thresholds.js';
import { rememberedRanks } from '../../core/state/rank-memory.js';
import { changeInEvent, ownThresholdsIn } from '../../core/state/threshold-changes.js';
import type { WorkerId } from '../../core/worker-id.js';
import { onConfigs } from './configs.js';
import {
  onInstances,
  onPrefillAttached,
  onPrefillClosed,
  onPrefillInstance,
  onPrefillInstances,
  onReportedDown,
} from './instances.js';
import { onLoads, reportMissingSignals } from './loads.js';
import {
  type Change,
  type ModelState,
  changed,
  initialState,
  leavingWorker,
  only,
  onlyKeys,
  withEntry,
  withMember,
  withProblem,
} from './state.js';
import { busyAfter, judgeAll, statesAfter, transitionsBetween } from './verdicts.js';

/** What one event changed, and the state after it. */
export interface ModelStep {
  readonly state: ModelState;
  readonly transitions: readonly Transition[];
  readonly cleanups: readonly Cleanup[];
  readonly problems: readonly Problem[];
}

/** The step before the first event: the seed of a `scan` whose accumulator is {@link step}. */
export function firstStep(policy: LoadPolicy, start: FleetStart = {}): ModelStep {
  return { state: initialState(policy, start), transitions: [], cleanups: [], problems: [] };
}

/**
 * The reference model: it takes one event, and returns the next state and everything that the event caused. It states the
 * rules plainly, with immutable Maps. The fast state must agree with it, and both with the recorded decisions of the
 * original.
 *
 * 1. Any events in any order leave a valid state.
 * 2. A stopped model ignores all further events. A model that the policy ended still takes changes of thresholds.
 * 3. The busy workers are those that were busy when last judged, and those with an overload mark. Whether another worker
 *    is free or unknown was decided when it was last judged, too.
 * 4. `now` is in milliseconds. It is the time of transitions, and has no effect on decisions.
 *
 * @example
 * ```ts
 * import { policies, workerId } from 'tidemark';
 * import { firstStep, step } from 'tidemark/testing';
 *
 * const { state } = firstStep(policies['dynamo-1.0'], { thresholds: { activePrefillTokensThreshold: 1000 } });
 * const load = { kind: 'load', workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null } as const;
 * const { transitions } = step(state, { ...load, activePrefillTokens: 1001 }, 0);
 * console.log(transitions[0]?.verdict.text);
 * // Logs: worker 7 is busy: rank 0 prefill tokens 1001 > 1000 (1 of 1 ranks busy, 1 needed)
 * ```
 *
 * @see {@link firstStep}
 */
export function step(state: ModelState, event: RecordedInput, now: number): ModelStep {
  const before: Change = { state, pendingCleanups: [], problems: [] };
  const {
    pendingCleanups,
    problems,
    state: next,
  } = state.phase === 'running' ? apply(before, event) : applyEnded(before, event);
  const published = { ...next, states: statesAfter(next), busy: busyAfter(next, now) };
  return {
    state: published,
    transitions: transitionsBetween(state, published, now),
    cleanups: mergeCleanups(pendingCleanups),
    problems,
  };
}

function applyEnded(change: Change, event: RecordedInput): Change {
  return event.kind === 'thresholds' && change.state.phase === 'ended' ? onThresholds(change, event) : change;
}

function apply(change: Change, event: RecordedInput): Change {
  const { state } = change;
  const { policy } = state;
  switch (event.kind) {
    case 'load':
      if (!state.loadsOpen) return change;
      if ((event.topic ?? 'kv_metrics') === 'kv_metrics') return onLoads(change, 'load', [event]);
      return withProblem(change, fleetProblems.foreignTopic(event.topic ?? ''));
    case 'schedulerLoads':
      if (!policy.judgedOn.includes('schedulerLoads')) return change;
      return onLoads(
        change,
        'schedulerLoads',
        event.loads.map((load) => ({ ...load, kvUsedBlocks: null })),
      );
    case 'configs':
      return onConfigs(change, event.workers);
    case 'config': {
      const configs = new Map(state.configs);
      if (event.config === null) configs.delete(event.workerId);
      else configs.set(event.workerId, event.config);
      return onConfigs(change, configs);
    }
    case 'decodeInstances':
      return onInstances(change, 'decode', new Set(event.workerIds));
    case 'instance':
      if (event.role === 'prefill')
        return onPrefillInstance(change, event.watch, event.workerId, event.present);
      return onInstances(
        change,
        'decode',
        withMember(state.decode, event.workerId, event.present),
        event.workerId,
      );
    case 'prefillAttached':
      return onPrefillAttached(change, new Set(event.workerIds));
    case 'prefillInstances':
      return onPrefillInstances(change, event.watch, new Set(event.workerIds));
    case 'prefillClosed':
      return onPrefillClosed(change, event.watch);
    case 'thresholds':
      return onThresholds(change, event);
    case 'marked':
      return policy.overloadMarks === 'ignored'
        ? change
        : changed(change, { overloadMarked: new Set([...state.overloadMarked, event.workerId]) });
    case 'markExpired':
      if (policy.overloadMarks === 'ignored' || policy.overloadMarks.maximumMs === null) return change;
      return changed(change, { overloadMarked: only(state.overloadMarked, (id) => id !== event.workerId) });
    case 'reportedDown':
      return onReportedDown(change, event.workerId);
    case 'loadError':
      return withProblem(change, fleetProblems.sourceError('loads', event.text));
    case 'configError':
      return withProblem(change, fleetProblems.sourceError('configs', event.text));
    case 'instancesError':
      return withProblem(change, fleetProblems.sourceError('instances', event.text));
    case 'problem':
      return withProblem(change, event.problem);
    case 'loadStreamEnded':
      return changed(ended(change, 'loads', policy.loadsEnded), { loadsOpen: false });
    case 'configsEnded':
      return ended(change, 'configs', policy.configsEnded);
    case 'instancesEnded':
      return ended(change, 'instances', policy.instancesEnded);
    case 'stop':
      return changed(stopped(change), { phase: 'stopped' });
  }
}

function onThresholds(change: Change, event: Extract<RecordedInput, { kind: 'thresholds' }>): Change {
  const { state } = change;
  const { target = 'everything' } = event;
  if (target !== 'everything' && 'role' in target && target.role !== state.poolRole) return change;
  const refused = event.checked === true ? thresholdProblems(changeInEvent(event), state.policy) : [];
  if (refused.length > 0) {
    return refused.reduce((next, text) => withProblem(next, fleetProblems.thresholdOutOfRange(text)), change);
  }
  const next =
    target !== 'everything' && 'workerId' in target
      ? withOwnThresholds(change, target.workerId, event)
      : changed(change, { thresholds: state.thresholds.update(event, event.nullTurnsOff) });
  return state.phase === 'running' ? judgeAll(reportMissingSignals(next), 'thresholds') : next;
}

/** Replaces the thresholds that a worker has of its own. At most 10 000 workers have some. */
function withOwnThresholds(
  change: Change,
  workerId: WorkerId,
  event: Extract<RecordedInput, { kind: 'thresholds' }>,
): Change {
  const { ownThresholds, policy } = change.state;
  const own = ownThresholdsIn(event, policy);
  if (own === null) {
    return changed(change, { ownThresholds: onlyKeys(ownThresholds, (id) => id !== workerId) });
  }
  if (!ownThresholds.has(workerId) && ownThresholds.size >= MAX_WORKERS_WITH_THRESHOLDS) {
    const problem = fleetProblems.tooManyThresholds(workerId, MAX_WORKERS_WITH_THRESHOLDS);
    return withProblem(change, problem);
  }
  return changed(change, { ownThresholds: withEntry(ownThresholds, workerId, own) });
}

function ended(
  change: Change,
  source: Problem['source'],
  rule: LoadPolicy['loadsEnded' | 'configsEnded' | 'instancesEnded'],
): Change {
  const next = withProblem(change, fleetProblems.sourceEnded(source, rule));
  return rule === 'ends-monitor' ? changed(next, { phase: 'ended' }) : next;
}

function stopped(change: Change): Change {
  const { state } = change;
  if (state.policy.stop === 'silent') return change;
  const withoutConfig = [...state.memory].filter(([id]) => !state.counted.has(id));
  const cleanups = withoutConfig.flatMap(([id, memory]) =>
    planCleanups(
      { types: 'own', withoutRank: true },
      state.poolRole,
      leavingWorker(state, id),
      rememberedRanks(memory),
      null,
    ),
  );
  return { ...change, pendingCleanups: [...change.pendingCleanups, ...cleanups] };
}
