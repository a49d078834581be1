import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { declaredRanks } from '../../core/judgement/rank-state.js';
import { planCleanups, roleOfPool, type PendingCleanup } from '../../core/state/cleanup.js';
import { fleetProblems } from '../../core/state/fleet-problems.js';
import {
  noRanks,
  ranksOutside,
  rememberDeclared,
  rememberedRanks,
  rememberReported,
} from '../../core/state/rank-memory.js';
import type { WorkerId } from '../../core/worker-id.js';
import {
  type Change,
  type CountedConfig,
  type ModelState,
  applyConfig,
  changed,
  isInstance,
  leavingWorker,
  newWorker,
  only,
  onlyKeys,
  thresholdsOf,
  withProblem,
} from './state.js';
import { judgeAll } from './verdicts.js';

/** Applies a snapshot of all configs. */
export function onConfigs(change: Change, configs: ReadonlyMap<WorkerId, RuntimeConfig>): Change {
  const reported = reportBadRanges(changed(change, { configs }), change.state.configs ?? new Map());
  return change.state.policy.configsThatCount === 'all' ? recount(reported) : rejoin(reported);
}

/** Joins configs and instances again after a change of instances, if configs need an instance to count. */
export function rejoin(change: Change): Change {
  if (change.state.policy.configsThatCount === 'all' || change.state.configs === null) return change;
  return isSameConfigs(change.state.counted, countedConfigs(change.state)) ? change : recount(change);
}

/**
 * Applies again which configs count.
 *
 * 1. Workers that lost their config are cleaned up and forgotten. If the policy holds unknown workers, these are the
 *    workers that had a config that counted; otherwise all workers without one.
 * 2. Every worker with a config gets its capacities and its declared ranks. Ranks that left are cleaned up.
 * 3. Workers are judged, if the policy judges on configs.
 */
function recount(change: Change): Change {
  const { state } = change;
  const { policy } = state;
  const counted = countedConfigs(state);
  const hasLost = (id: WorkerId): boolean =>
    !counted.has(id) && (policy.unknownWorkers.loads !== 'held' || state.counted.has(id));
  const cleanups: PendingCleanup[] = [];
  for (const [id, memory] of state.memory) {
    if (hasLost(id))
      cleanups.push(
        ...planCleanups(
          policy.cleanupOnConfigRemoved,
          state.poolRole,
          leavingWorker(state, id),
          rememberedRanks(memory),
          null,
        ),
      );
  }
  const memory = new Map(onlyKeys(state.memory, (id) => !hasLost(id)));
  const workers = new Map(onlyKeys(state.workers, (id) => !hasLost(id)));
  for (const [id, config] of counted) {
    const worker = applyConfig(workers.get(id) ?? newWorker, config, thresholdsOf(state, id), policy);
    workers.set(id, worker);
    const remembered = memory.get(id);
    if (remembered !== undefined)
      cleanups.push(...planLeftRanks(state, id, ranksOutside(remembered, config.range)));
    // If capacities are reconciled, the ranks that have reported are those that the config left in the state.
    const stays = policy.capacity === 'merged' ? remembered : undefined;
    const reported = [...worker.ranks.keys()].reduce(rememberReported, stays ?? noRanks);
    memory.set(id, rememberDeclared(reported, config.range));
  }
  // The overload mark of a worker without remembered ranks does not end with its config.
  const isKept = (id: WorkerId): boolean => !hasLost(id) || !state.memory.has(id);
  // A worker that lost its config stops being busy before the others are judged, so that alone is not a publication.
  const judged = policy.judgedOn.includes('configs') ? onlyKeys(state.judged, isKept) : state.judged;
  const next: Change = {
    ...change,
    state: { ...state, counted, memory, workers, judged, overloadMarked: only(state.overloadMarked, isKept) },
    pendingCleanups: [...change.pendingCleanups, ...cleanups],
  };
  return judgeAll(next, 'configs');
}

function planLeftRanks(state: ModelState, workerId: WorkerId, ranks: readonly number[]): PendingCleanup[] {
  switch (state.policy.cleanupOnRanksLeft) {
    case 'none':
      return [];
    case 'ranks':
      return planCleanups(
        { types: 'known', withoutRank: false },
        state.poolRole,
        leavingWorker(state, workerId),
        ranks,
        null,
      );
    case 'ranks-and-every-none':
      return [{ workerId, types: [roleOfPool(state.poolRole)], ranks: [...ranks, 'none'] }];
  }
}

/** The configs that count under the policy, each with the ranks that it declares. */
function countedConfigs(state: ModelState): ReadonlyMap<WorkerId, CountedConfig> {
  const counted = new Map<WorkerId, CountedConfig>();
  for (const [id, config] of state.configs ?? []) {
    const range = declaredRanks(config, state.policy);
    if (range !== undefined && hasInstance(state, id)) counted.set(id, { config, range });
  }
  return counted;
}

function hasInstance(state: ModelState, id: WorkerId): boolean {
  switch (state.policy.configsThatCount) {
    case 'all':
      return true;
    case 'joined':
      return state.decode?.has(id) === true;
    case 'joined-with-both-roles':
      return (state.decode === null && state.prefill === null) || isInstance(state, id);
  }
}

/** Reports the new or changed configs that declare an impossible range. */
function reportBadRanges(change: Change, before: ReadonlyMap<WorkerId, RuntimeConfig>): Change {
  const { policy, configs } = change.state;
  if (policy.rankRange !== 'checked-and-reported') return change;
  const bad = [...(configs ?? [])].filter(
    ([id, config]) => declaredRanks(config, policy) === undefined && !isSameRange(config, before.get(id)),
  );
  return bad.reduce((next, [id, config]) => withProblem(next, fleetProblems.rankRange(id, config)), change);
}

function isSameRange(a: RuntimeConfig, b: RuntimeConfig | undefined): boolean {
  return (
    b !== undefined &&
    (a.dataParallelStartRank ?? 0) === (b.dataParallelStartRank ?? 0) &&
    (a.dataParallelSize ?? 1) === (b.dataParallelSize ?? 1)
  );
}

function isSameConfigs(
  a: ReadonlyMap<WorkerId, CountedConfig>,
  b: ReadonlyMap<WorkerId, CountedConfig>,
): boolean {
  return a.size === b.size && [...a].every(([id, config]) => isSameConfig(config, b.get(id)));
}

function isSameConfig(a: CountedConfig, b: CountedConfig | undefined): boolean {
  return (
    b !== undefined &&
    a.range.start === b.range.start &&
    a.range.end === b.range.end &&
    a.config.totalKvBlocks === b.config.totalKvBlocks &&
    a.config.maxNumBatchedTokens === b.config.maxNumBatchedTokens
  );
}
