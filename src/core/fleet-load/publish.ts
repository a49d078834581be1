import type { Transition } from '../transition.js';
import type { VerdictReason } from '../verdict.js';
import { compareWorkerIds } from '../worker-id.js';
import { Crossing } from './crossing.js';
import type { FleetStore, Touched } from './fleet-store.js';
import { RankSnapshot } from './rank-snapshot.js';
import { HAS_STATE, JUDGED_BUSY, MARKED, PUBLISHED, TOUCHED } from './worker-slots.js';

const nobody: readonly Transition[] = [];

/** Hands out who crossed in the present event, ascending, each with the verdict on it. */
export function publish(store: FleetStore, now: number): readonly Transition[] {
  const { slots, touched } = store;
  if (touched.length === 0) return nobody;
  store.touched = [];
  for (const { slot } of touched) slots.set(slot, TOUCHED, false);
  const crossed = touched.filter(
    ({ slot }) => slots.has(slot, JUDGED_BUSY | MARKED) !== slots.has(slot, PUBLISHED),
  );
  if (crossed.length > 1) crossed.sort((a, b) => compareWorkerIds(slots.id(a.slot), slots.id(b.slot)));
  return crossed.map((one) => cross(store, one, now));
}

/** Hands out that one worker crossed. */
function cross(store: FleetStore, { slot, before }: Touched, now: number): Transition {
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
