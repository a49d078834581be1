import { dropsBy, ownType, type Drop } from '../core/cleanup-drops.js';
import { fleetProblems } from '../core/fleet-problems.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import { declaredRanks } from '../core/rank-range.js';
import {
  noRanks,
  ranksOutside,
  rememberDeclared,
  rememberedRanks,
  rememberReported,
} from '../core/rank-memory.js';
import type { WorkerId } from '../core/worker-id.js';
import { only, onlyKeys } from './immutable-map.js';
import { judgeAll } from './model-judge.js';
import {
  changed,
  isInstance,
  leaverOf,
  withProblem,
  type Change,
  type CountedCard,
  type ModelState,
} from './model-state.js';
import { applyCard, newWorker } from './model-worker.js';

/** The cards that discovery tells are these now. */
export function onCards(change: Change, cards: ReadonlyMap<WorkerId, RuntimeConfig>): Change {
  const told = reportBadRanges(changed(change, { cards }), change.state.cards ?? new Map());
  return change.state.policy.cardsThatCount === 'all' ? recount(told) : rejoin(told);
}

/** The instances changed: where cards need an instance, the cards that count may have changed with them. */
export function rejoin(change: Change): Change {
  if (change.state.policy.cardsThatCount === 'all' || change.state.cards === null) return change;
  return sameCards(change.state.counted, cardsThatCount(change.state)) ? change : recount(change);
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
  const counted = cardsThatCount(state);
  const lost = (id: WorkerId): boolean =>
    !counted.has(id) && (policy.unknownWorkers.loads !== 'held' || state.counted.has(id));
  const drops: Drop[] = [];
  for (const [id, memory] of state.memory) {
    if (lost(id))
      drops.push(
        ...dropsBy(
          policy.cleanupOnCardLeft,
          state.source,
          leaverOf(state, id),
          rememberedRanks(memory),
          null,
        ),
      );
  }
  const memory = new Map(onlyKeys(state.memory, (id) => !lost(id)));
  const workers = new Map(onlyKeys(state.workers, (id) => !lost(id)));
  for (const [id, card] of counted) {
    const worker = applyCard(workers.get(id) ?? newWorker, card, state.thresholds, policy);
    workers.set(id, worker);
    const remembered = memory.get(id);
    if (remembered !== undefined) drops.push(...leftRanks(state, id, ranksOutside(remembered, card.range)));
    // Where capacities are reconciled, the ranks that reported are those the card left in the state.
    const stays = policy.capacity === 'merged' ? remembered : undefined;
    const reported = [...worker.ranks.keys()].reduce(rememberReported, stays ?? noRanks);
    memory.set(id, rememberDeclared(reported, card.range));
  }
  // A mark on a worker of which nothing is remembered is not this card's to end.
  const kept = (id: WorkerId): boolean => !lost(id) || !state.memory.has(id);
  // Who lost its card is no longer busy before the others are judged: its leaving alone is no publication.
  const judged = policy.judgedOn.includes('configs') ? only(state.judged, kept) : state.judged;
  const next: Change = {
    ...change,
    state: { ...state, counted, memory, workers, judged, marked: only(state.marked, kept) },
    drops: [...change.drops, ...drops],
  };
  return judgeAll(next, 'configs');
}

function leftRanks(state: ModelState, workerId: WorkerId, ranks: readonly number[]): Drop[] {
  switch (state.policy.cleanupOnRanksLeft) {
    case 'none':
      return [];
    case 'ranks':
      return dropsBy(
        { types: 'known', withoutRank: false },
        state.source,
        leaverOf(state, workerId),
        ranks,
        null,
      );
    case 'ranks-and-every-none':
      return [{ workerId, types: [ownType(state.source)], ranks: [...ranks, 'none'] }];
  }
}

/** The cards that count under the policy, each with the ranks it declares. */
function cardsThatCount(state: ModelState): ReadonlyMap<WorkerId, CountedCard> {
  const counted = new Map<WorkerId, CountedCard>();
  for (const [id, card] of state.cards ?? []) {
    const range = declaredRanks(card, state.policy);
    if (range !== undefined && hasInstance(state, id)) counted.set(id, { card, range });
  }
  return counted;
}

function hasInstance(state: ModelState, id: WorkerId): boolean {
  switch (state.policy.cardsThatCount) {
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
  const { policy, cards } = change.state;
  if (policy.rankRange !== 'checked-and-reported') return change;
  const bad = [...(cards ?? [])].filter(
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

function sameCards(a: ReadonlyMap<WorkerId, CountedCard>, b: ReadonlyMap<WorkerId, CountedCard>): boolean {
  return a.size === b.size && [...a].every(([id, one]) => sameCard(one, b.get(id)));
}

function sameCard(a: CountedCard, b: CountedCard | undefined): boolean {
  return (
    b !== undefined &&
    a.range.start === b.range.start &&
    a.range.end === b.range.end &&
    a.card.totalKvBlocks === b.card.totalKvBlocks &&
    a.card.maxNumBatchedTokens === b.card.maxNumBatchedTokens
  );
}
