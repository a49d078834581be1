import type { RuntimeConfig } from '../core/runtime-config.js';
import { declaredRanks } from '../core/rank-range.js';
import { noRanks, ranksOutside, rememberDeclared, rememberedRanks } from '../core/rank-memory.js';
import type { WorkerId } from '../core/worker-id.js';
import { only, onlyKeys } from './immutable-map.js';
import { dropsBy, ownType, type Drop } from './model-cleanup.js';
import { judgeAll } from './model-judge.js';
import {
  changed,
  isInstance,
  withProblem,
  type Change,
  type CountedCard,
  type ModelState,
} from './model-state.js';
import { applyCard, newWorker } from './model-worker.js';

/** The cards that discovery tells are these now. */
export function onCards(change: Change, cards: ReadonlyMap<WorkerId, RuntimeConfig>): Change {
  const known = changed(change, { cards });
  return change.state.policy.cardsThatCount === 'all'
    ? recount(reportBadRanges(known))
    : rejoin(reportBadRanges(known));
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
    if (lost(id)) drops.push(...dropsBy(policy.cleanupOnCardLeft, state, id, rememberedRanks(memory), null));
  }
  const memory = new Map(onlyKeys(state.memory, (id) => !lost(id)));
  const workers = new Map(onlyKeys(state.workers, (id) => !lost(id)));
  for (const [id, card] of counted) {
    workers.set(id, applyCard(workers.get(id) ?? newWorker, card, state.thresholds, policy));
    const remembered = memory.get(id);
    if (remembered !== undefined) drops.push(...leftRanks(state, id, ranksOutside(remembered, card.range)));
    const before = policy.capacity === 'merged' ? (remembered ?? noRanks) : noRanks;
    const grown = rememberDeclared(before, card.range);
    if (grown !== noRanks) memory.set(id, grown);
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
      return dropsBy({ types: 'known', withoutRank: false }, state, workerId, ranks, null);
    case 'ranks-and-every-none':
      return [{ workerId, types: [ownType(state)], ranks: [...ranks, 'none'] }];
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

function reportBadRanges(change: Change): Change {
  const { policy, cards } = change.state;
  if (policy.rankRange !== 'checked-and-reported') return change;
  let next = change;
  for (const [workerId, card] of cards ?? []) {
    if (declaredRanks(card, policy) !== undefined) continue;
    const text = `the card of worker ${workerId} declares ${card.dataParallelSize ?? 1} ranks from ${card.dataParallelStartRank ?? 0}; it does not count until it declares 1 to 4096 that fit 32 bits`;
    next = withProblem(next, { code: 'rank-range', source: 'configs', workerId, text });
  }
  return next;
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
