import { dropsBy, ownType, type Leaver } from '../cleanup-drops.js';
import { noRanks, ranksOutside, rememberDeclared, rememberedRanks } from '../rank-memory.js';
import type { RankRange } from '../rank-range.js';
import type { RuntimeConfig } from '../runtime-config.js';
import type { WorkerId } from '../worker-id.js';
import { judgeQueued } from './apply-marks.js';
import { rangeOf, takeCapacities } from './capacities.js';
import type { FleetStore } from './fleet-store.js';
import { memoryOf, renewRanks } from './rank-block.js';
import { cardCounts, joinChanged, tell, toldRange, untell } from './told-cards.js';
import {
  COUNTED,
  DECODE,
  HAS_RANGE,
  JUDGED_BUSY,
  MARKED,
  PREFILL,
  TOLD,
  TOLD_LIMITS,
} from './worker-slots.js';
import { ensureState, forgetState, noteSettled, queue, touch } from './worker-state.js';

/** The cards that discovery tells are these now. */
export function applyConfigs(store: FleetStore, workers: ReadonlyMap<WorkerId, RuntimeConfig>): void {
  const { slots } = store;
  const changed = new Set<number>();
  for (const slot of slots.all()) {
    if (!slots.has(slot, TOLD) || workers.has(slots.id(slot))) continue;
    untell(store, slot);
    changed.add(slot);
  }
  for (const [id, card] of workers) changed.add(tell(store, id, card));
  afterCards(store, changed);
}

/** One card was added, replaced or removed. */
export function applyConfig(store: FleetStore, id: WorkerId, card: RuntimeConfig | null): void {
  if (card !== null) {
    afterCards(store, [tell(store, id, card)]);
    return;
  }
  const slot = store.slots.find(id);
  if (slot !== -1) untell(store, slot);
  afterCards(store, slot === -1 ? [] : [slot]);
}

/** Instances came or went: where cards need an instance, the cards that count may have changed with them. */
export function rejoin(store: FleetStore, candidates: Iterable<number>): void {
  if (store.policy.cardsThatCount === 'all' || !store.cardsSeen) return;
  const changed = [...candidates].filter((slot) => joinChanged(store, slot));
  if (changed.length > 0) recount(store, changed);
}

function afterCards(store: FleetStore, changed: Iterable<number>): void {
  const first = !store.cardsSeen;
  store.cardsSeen = true;
  // Without a card source everybody who reports is known; with the first card that ends.
  if (first) for (const slot of store.slots.all()) review(store, slot);
  if (store.policy.cardsThatCount === 'all') recount(store, changed);
  else rejoin(store, changed);
}

/** A worker's standing may have changed without its ranks: it is judged anew. */
export function review(store: FleetStore, slot: number): void {
  noteSettled(store, slot);
  queue(store, slot);
}

/**
 * The cards that count are taken anew: those of the workers in `changed` and of the unsettled ones. Where taking
 * an unchanged card again has an effect, those of all workers.
 */
function recount(store: FleetStore, changed: Iterable<number>): void {
  const all = takesEffectAgain(store) ? [...store.slots.all()] : new Set([...changed, ...store.unsettled]);
  for (const slot of all) {
    if (cardCounts(store, slot)) takeCard(store, slot);
    else loseCard(store, slot);
  }
  judgeQueued(store, 'configs');
}

function takesEffectAgain({ policy }: FleetStore): boolean {
  return policy.capacity === 'merged'
    ? policy.cleanupOnRanksLeft !== 'none'
    : policy.decodeSignal === 'latched' ||
        policy.ranksJudged === 'reported' ||
        policy.cleanupOnRanksLeft === 'ranks-and-every-none';
}

function takeCard(store: FleetStore, slot: number): void {
  const { slots, policy } = store;
  const range = toldRange(store, slot);
  const remembered = memoryOf(store, slot);
  if (remembered !== undefined) dropLeftRanks(store, slot, ranksOutside(remembered, range));
  slots.set(slot, COUNTED);
  ensureState(store, slot);
  if (policy.capacity === 'reconciled') store.memory.delete(slot);
  else if (remembered !== undefined) rememberOlderRanges(store, slot, range);
  takeCapacities(store, slot, range, slots.words[slots.at(slot) + TOLD_LIMITS] ?? 0);
  renewRanks(store, slot, range);
  review(store, slot);
}

/** Ranges that the present one does not contain stay remembered beside it. */
function rememberOlderRanges(store: FleetStore, slot: number, range: RankRange): void {
  if (!store.slots.has(slot, HAS_RANGE)) return;
  const present = rangeOf(store, slot);
  if (present.start >= range.start && present.end <= range.end) return;
  store.memory.set(slot, rememberDeclared(store.memory.get(slot) ?? noRanks, present));
}

function loseCard(store: FleetStore, slot: number): void {
  const { slots, policy } = store;
  if (policy.unknownWorkers.loads === 'held' && !slots.has(slot, COUNTED)) return;
  const remembered = memoryOf(store, slot);
  if (remembered !== undefined) {
    const { cleanupOnCardLeft } = policy;
    store.drops.push(
      ...dropsBy(cleanupOnCardLeft, store.source, leaverOf(store, slot), rememberedRanks(remembered), null),
    );
    touch(store, slot);
    // Who lost its card is no longer busy before the others are judged: its leaving alone is no publication.
    if (policy.judgedOn.includes('configs')) slots.set(slot, JUDGED_BUSY, false);
    slots.set(slot, MARKED, false);
    store.marked.delete(slot);
  }
  slots.set(slot, COUNTED, false);
  store.memory.delete(slot);
  forgetState(store, slot);
  review(store, slot);
  store.maybeEmpty.push(slot);
}

function dropLeftRanks(store: FleetStore, slot: number, ranks: readonly number[]): void {
  const leaver = leaverOf(store, slot);
  switch (store.policy.cleanupOnRanksLeft) {
    case 'none':
      return;
    case 'ranks':
      store.drops.push(...dropsBy({ types: 'known', withoutRank: false }, store.source, leaver, ranks, null));
      return;
    case 'ranks-and-every-none':
      store.drops.push({
        workerId: leaver.workerId,
        types: [ownType(store.source)],
        ranks: [...ranks, 'none'],
      });
  }
}

/** A worker that leaves, with the roles it has. */
export function leaverOf({ slots }: FleetStore, slot: number): Leaver {
  return { workerId: slots.id(slot), decode: slots.has(slot, DECODE), prefill: slots.has(slot, PREFILL) };
}
