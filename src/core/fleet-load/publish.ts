import { judge } from '../judge.js';
import type { RankStates } from '../rank-state.js';
import type { Transition } from '../transition.js';
import type { VerdictReason } from '../verdict.js';
import { compareWorkerIds } from '../worker-id.js';
import type { FleetStore } from './fleet-store.js';
import { rankStatesOf } from './rank-block.js';
import { HAS_STATE, JUDGED_BUSY, MARKED, PUBLISHED } from './worker-slots.js';

const noRanks: RankStates = { declared: null, ranks: new Map() };

/** Hands out who crossed in the present event, ascending, each with the verdict on it. */
export function publish(store: FleetStore, now: number): readonly Transition[] {
  const { slots, touched } = store;
  if (touched.size === 0) return [];
  const transitions: Transition[] = [];
  for (const [slot, before] of touched) {
    const status = slots.status(slot);
    const busy = (status & (JUDGED_BUSY | MARKED)) !== 0;
    if (busy === ((status & PUBLISHED) !== 0)) continue;
    slots.set(slot, PUBLISHED, busy);
    slots.since[slot] = now;
    const workerId = slots.id(slot);
    const states = (status & HAS_STATE) === 0 ? noRanks : rankStatesOf(store, slot);
    const given = { busy, reason: reasonOf(busy, before, status), since: now };
    const verdict = judge(workerId, states, store.thresholds, store.policy, given);
    transitions.push({ workerId, busy, at: now, verdict });
    store.maybeEmpty.push(slot);
  }
  touched.clear();
  if (transitions.length > 1) transitions.sort((a, b) => compareWorkerIds(a.workerId, b.workerId));
  for (const { workerId, busy } of transitions) store.busy.flip(slots.find(workerId), busy);
  return transitions;
}

function reasonOf(busy: boolean, before: number, after: number): VerdictReason {
  if (busy) return (after & JUDGED_BUSY) !== 0 ? 'load' : 'mark';
  if ((before & MARKED) !== 0 && (before & JUDGED_BUSY) === 0) return 'unmarked';
  return (after & HAS_STATE) !== 0 ? 'load' : 'left';
}
