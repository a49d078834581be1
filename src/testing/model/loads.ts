import { inRange } from '../../core/judgement/rank-state.js';
import type { JudgedOn } from '../../core/policy/load-policy.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import { fleetProblems } from '../../core/state/fleet-problems.js';
import { LOADS_UNTIL_MISSING, type LoadSignal, missingSignals } from '../../core/state/missing-signals.js';
import { noRanks, rememberReported } from '../../core/state/rank-memory.js';
import type { WorkerId } from '../../core/worker-id.js';
import {
  type Change,
  type RankValues,
  changed,
  isKnown,
  newWorker,
  only,
  onlyKeys,
  thresholdsOf,
  updateRank,
  withEntry,
  withProblem,
} from './state.js';
import { judgeAll } from './verdicts.js';

/** The load of one rank of one worker. */
export interface RankLoad extends RankValues {
  readonly workerId: WorkerId;
  readonly dpRank: number;
}

/**
 * Applies one load, or a batch of them.
 *
 * 1. Each load is stored or ignored. The policy decides whether an unknown worker is tracked, ignored or held.
 * 2. If a load was stored, workers are judged, and overload marks end: all of them, or those of the workers with a load.
 *    After a batch of the scheduler that happens even when all of its loads were ignored.
 */
export function onLoads(change: Change, on: JudgedOn, loads: readonly RankLoad[]): Change {
  const stored = loads.reduce(store, change);
  if (on === 'load' && stored.state === change.state) return stored;
  const rule = stored.state.policy.overloadMarks;
  if (rule === 'ignored' || !stored.state.policy.judgedOn.includes(on)) return judgeAll(stored, on);
  const reported = new Set(loads.map(({ workerId }) => workerId));
  const overloadMarked =
    rule.until === 'publication'
      ? new Set<WorkerId>()
      : only(stored.state.overloadMarked, (id) => !reported.has(id));
  return judgeAll(changed(stored, { overloadMarked }), on);
}

function store(change: Change, load: RankLoad): Change {
  const { state } = change;
  const { policy } = state;
  const { workerId, dpRank } = load;
  const worker = state.workers.get(workerId) ?? newWorker;
  if (policy.unknownWorkers.loads === 'dropped' && !isKnown(state, workerId)) {
    return withProblem(change, fleetProblems.unknownWorker(workerId));
  }
  if (policy.ranksJudged === 'declared' && worker.declared !== null && !inRange(dpRank, worker.declared)) {
    return withProblem(change, fleetProblems.undeclaredRank(workerId, dpRank));
  }
  const memory = rememberReported(state.memory.get(workerId) ?? noRanks, dpRank);
  const hasValue = (signal: LoadSignal): boolean => load[signal] !== null;
  const heard = (['activeDecodeBlocks', 'activePrefillTokens', 'kvUsedBlocks'] as const).filter(hasValue);
  const stored = makeRoom(
    changed(change, {
      loads: state.loads + 1,
      signals: new Set([...state.signals, ...heard]),
      workers: withEntry(
        state.workers,
        workerId,
        updateRank(worker, dpRank, load, thresholdsOf(state, workerId), policy),
      ),
      memory: withEntry(state.memory, workerId, memory),
    }),
  );
  return stored.state.loads === LOADS_UNTIL_MISSING ? reportMissingSignals(stored) : stored;
}

/** Reports each threshold that is set although the loads have no signal to compare with it, once. */
export function reportMissingSignals(change: Change): Change {
  const { thresholds, ownThresholds } = change.state;
  const workers = [...ownThresholds.keys()].map((id) => thresholdsOf(change.state, id));
  return [thresholds, ...workers].reduce(reportMissing, change);
}

function reportMissing(change: Change, thresholds: LoadThresholds): Change {
  const { policy, loads, signals, reported } = change.state;
  if (loads < LOADS_UNTIL_MISSING) return change;
  const missing = missingSignals(thresholds, policy, (signal) => signals.has(signal)).filter(
    ({ threshold }) => !reported.has(threshold),
  );
  const next = changed(change, {
    reported: new Set([...reported, ...missing.map(({ threshold }) => threshold)]),
  });
  return missing.reduce((all, { problem }) => withProblem(all, problem), next);
}

/** Forgets the loads of the oldest unknown worker, if there are more than the policy allows. */
function makeRoom(change: Change): Change {
  const { state } = change;
  const rule = state.policy.unknownWorkers;
  if (rule.loads !== 'held' || state.workers.size <= rule.maximumWorkers) return change;
  const held = [...state.workers.keys()].filter((id) => !isKnown(state, id));
  const [oldest] = held;
  if (oldest === undefined || held.length <= rule.maximumWorkers) return change;
  const others = (id: WorkerId): boolean => id !== oldest;
  const next = changed(change, {
    workers: onlyKeys(state.workers, others),
    memory: onlyKeys(state.memory, others),
  });
  return withProblem(next, fleetProblems.heldWorkerDropped(oldest, rule.maximumWorkers));
}
