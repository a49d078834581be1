import type { Transition } from '../transition.js';
import type { VerdictReason } from '../verdict.js';
import { compareWorkerIds } from '../worker-id.js';
import { Crossing } from './crossing.js';
import type { FleetStore } from './fleet-store.js';
import { RankSnapshot } from './rank-snapshot.js';
import { HAS_STATE, JUDGED_BUSY, MARKED, PUBLISHED } from './worker-slots.js';

/** Hands out who crossed in the present event, ascending, each with the verdict on it. */
export function publish(store: FleetStore, now: number): readonly Transition[] {
  const { slots, touched } = store;
  if (touched.size === 0) return [];
  const crossed = [...touched.keys()].filter(
    (slot) => slots.has(slot, JUDGED_BUSY | MARKED) !== slots.has(slot, PUBLISHED),
  );
  if (crossed.length > 1) crossed.sort((a, b) => compareWorkerIds(slots.id(a), slots.id(b)));
  const transitions = crossed.map((slot) => cross(store, slot, touched.get(slot) ?? 0, now));
  touched.clear();
  return transitions;
}

/** Hands out that one worker crossed; `before` is its status before the event. */
function cross(store: FleetStore, slot: number, before: number, now: number): Transition {
  const { slots, thresholds, policy } = store;
  const status = slots.status(slot);
  const busy = (status & (JUDGED_BUSY | MARKED)) !== 0;
  slots.set(slot, PUBLISHED, busy);
  slots.setSince(slot, now);
  store.busy.flip(slot, busy);
  store.maybeEmpty.push(slot);
  const ranks = new RankSnapshot(store, slot);
  return new Crossing(slots.id(slot), busy, now, {
    reason: reasonOf(busy, before, status),
    ranks,
    marks: thresholds,
    policy,
  });
}

function reasonOf(busy: boolean, before: number, after: number): VerdictReason {
  if (busy) return (after & JUDGED_BUSY) !== 0 ? 'load' : 'mark';
  if ((before & MARKED) !== 0 && (before & JUDGED_BUSY) === 0) return 'unmarked';
  return (after & HAS_STATE) !== 0 ? 'load' : 'left';
}
