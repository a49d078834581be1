import type { WorkerId } from '../worker-id.js';
import { applyInstance, applyInstances, replacePrefill } from './apply-instances.js';
import type { FleetStore } from './fleet-store.js';

/** A watch on prefill instances was attached: it opens, waits, or takes over, as the policy says. */
export function applyPrefillAttached(store: FleetStore, workerIds: readonly WorkerId[]): void {
  const { watches, policy } = store;
  const watch = watches.attached;
  watches.attached += 1;
  if (policy.prefillWatches === 'none') return;
  if (policy.prefillWatches === 'waits' && watches.open !== null) watches.waiting = { watch, workerIds };
  else open(store, watch, workerIds);
}

/** A prefill watch has another set; `undefined` means the one attached last. */
export function applyPrefillInstances(
  store: FleetStore,
  watch: number | undefined,
  workerIds: readonly WorkerId[],
): void {
  const { watches } = store;
  const meant = watch ?? watches.attached - 1;
  if (meant === watches.open) applyInstances(store, 'prefill', workerIds);
  else if (meant === watches.waiting?.watch) watches.waiting = { watch: meant, workerIds };
}

/** One instance came to a prefill watch or left it; `undefined` means the watch that is open. */
export function applyPrefillInstance(
  store: FleetStore,
  watch: number | undefined,
  workerId: WorkerId,
  present: boolean,
): void {
  const { open, waiting } = store.watches;
  if (open !== null && (watch ?? open) === open) applyInstance(store, 'prefill', workerId, present);
  else if (waiting !== null && watch === waiting.watch) {
    const others = waiting.workerIds.filter((id) => id !== workerId);
    store.watches.waiting = { watch, workerIds: present ? [...others, workerId] : others };
  }
}

/** A prefill watch ended: its last set stays, and the one that waits opens. */
export function applyPrefillClosed(store: FleetStore, watch: number | undefined): void {
  const { watches } = store;
  const { waiting } = watches;
  const meant = watch ?? watches.attached - 1;
  if (meant === waiting?.watch) {
    watches.waiting = null;
    return;
  }
  if (meant !== watches.open) return;
  watches.open = null;
  watches.waiting = null;
  if (waiting !== null) open(store, waiting.watch, waiting.workerIds);
}

function open(store: FleetStore, watch: number, workerIds: readonly WorkerId[]): void {
  store.watches.open = watch;
  if (store.policy.prefillWatches === 'takes-over-and-cleans') applyInstances(store, 'prefill', workerIds);
  else replacePrefill(store, workerIds);
}
