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
  withProblem,
} from './state.js';
import { judgeAll } from './verdicts.js';

/** The cards that discovery tells are these now. */
export function onConfigs(change: Change, configs: ReadonlyMap<WorkerId, RuntimeConfig>): Change {
  const reported = reportBadRanges(changed(change, { configs }), change.state.configs ?? new Map());
  return change.state.policy.configsThatCount === 'all' ? recount(reported) : rejoin(reported);
}

/** The instances changed: where cards need an instance, the cards that count may have changed with them. */
export function rejoin(change: Change): Change {
  if (change.state.policy.configsThatCount === 'all' || change.state.configs === null) return change;
  return isSameConfigs(change.state.counted, countedConfigs(change.state)) ? change : recount(change);
}

/**
 * The cards that count are taken anew.
 *
 * 1. Who lost its card is cleaned up and forgotten. Where unknown workers are held, that is who had a card that
 *    counted; elsewhere everybody without one.
 * 2. Every worker with a card gets its capacities and its declared ranks; ranks that left are cleaned up.
 * 3. Workers are judged, where the policy judges on cards.
 */
function recount(change: Change): Change {
  const { state } = change;
  const { policy } = state;
  const counted = countedConfigs(state);
  const lost = (id: WorkerId): boolean =>
    !counted.has(id) && (policy.unknownWorkers.loads !== 'held' || state.counted.has(id));
  const drops: PendingCleanup[] = [];
  for (const [id, memory] of state.memory) {
    if (lost(id))
      drops.push(
        ...planCleanups(
          policy.cleanupOnConfigRemoved,
          state.poolRole,
          leavingWorker(state, id),
          rememberedRanks(memory),
          null,
        ),
      );
  }
  const memory = new Map(onlyKeys(state.memory, (id) => !lost(id)));
  const workers = new Map(onlyKeys(state.workers, (id) => !lost(id)));
  for (const [id, card] of counted) {
    const worker = applyConfig(workers.get(id) ?? newWorker, card, state.thresholds, policy);
    workers.set(id, worker);
    const remembered = memory.get(id);
    if (remembered !== undefined)
      drops.push(...planLeftRanks(state, id, ranksOutside(remembered, card.range)));
    // Where capacities are reconciled, the ranks that reported are those the card left in the state.
    const stays = policy.capacity === 'merged' ? remembered : undefined;
    const reported = [...worker.ranks.keys()].reduce(rememberReported, stays ?? noRanks);
    const grown = rememberDeclared(reported, card.range);
    if (grown === noRanks) memory.delete(id);
    else memory.set(id, grown);
  }
  // A mark on a worker of which nothing is remembered is not this card's to end.
  const kept = (id: WorkerId): boolean => !lost(id) || !state.memory.has(id);
  // Who lost its card is no longer busy before the others are judged: its leaving alone is no publication.
  const judged = policy.judgedOn.includes('configs') ? only(state.judged, kept) : state.judged;
  const next: Change = {
    ...change,
    state: { ...state, counted, memory, workers, judged, overloadMarked: only(state.overloadMarked, kept) },
    pendingCleanups: [...change.pendingCleanups, ...drops],
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

/** The cards that count under the policy, each with the ranks it declares. */
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

/** Tells which of the cards that are new or changed declare an impossible range. */
function reportBadRanges(change: Change, before: ReadonlyMap<WorkerId, RuntimeConfig>): Change {
  const { policy, configs } = change.state;
  if (policy.rankRange !== 'checked-and-reported') return change;
  const bad = [...(configs ?? [])].filter(
    ([id, card]) => declaredRanks(card, policy) === undefined && !sameRange(card, before.get(id)),
  );
  return bad.reduce((next, [id, card]) => withProblem(next, fleetProblems.rankRange(id, card)), change);
}

function sameRange(a: RuntimeConfig, b: RuntimeConfig | undefined): boolean {
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
  return a.size === b.size && [...a].every(([id, one]) => isSameConfig(one, b.get(id)));
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
