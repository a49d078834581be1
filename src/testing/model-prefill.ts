import type { WorkerId } from '../core/worker-id.js';
import { rejoin } from './model-cards.js';
import { only, withMember } from './immutable-map.js';
import { onInstances } from './model-instances.js';
import { changed, type Change } from './model-state.js';

/**
 * A watch on prefill instances was attached.
 *
 * 1. No watch is open: it opens with its set.
 * 2. One is open: the new one waits for it to close (`waits`; the one attached last wins), or takes over at once.
 * 3. Who is no instance any more by it is no longer down.
 * 4. Opening cleans nobody up, except that `takes-over-and-cleans` cleans who is missing in the new set.
 */
export function onPrefillAttached(change: Change, workerIds: ReadonlySet<WorkerId>): Change {
  const { policy, watches } = change.state;
  const watch = watches.attached;
  const numbered = changed(change, { watches: { ...watches, attached: watch + 1 } });
  if (policy.prefillWatches === 'none') return numbered;
  if (policy.prefillWatches === 'waits' && watches.open !== null) {
    return changed(numbered, { watches: { ...numbered.state.watches, waiting: { watch, workerIds } } });
  }
  return open(numbered, watch, workerIds);
}

/** A prefill watch has another set; `undefined` means the one attached last. */
export function onPrefillInstances(
  change: Change,
  watch: number | undefined,
  workerIds: ReadonlySet<WorkerId>,
): Change {
  const { watches } = change.state;
  const meant = watch ?? watches.attached - 1;
  if (meant === watches.open) return onInstances(change, 'prefill', workerIds);
  if (meant !== watches.waiting?.watch) return change;
  return changed(change, { watches: { ...watches, waiting: { watch: meant, workerIds } } });
}

/** One instance came to a prefill watch or left it; `undefined` means the watch that is open. */
export function onPrefillInstance(
  change: Change,
  watch: number | undefined,
  workerId: WorkerId,
  present: boolean,
): Change {
  const { watches, prefill } = change.state;
  const { open: opened, waiting } = watches;
  if (opened !== null && (watch ?? opened) === opened) {
    return onInstances(change, 'prefill', withMember(prefill, workerId, present), workerId);
  }
  if (waiting === null || watch !== waiting.watch) return change;
  const workerIds = withMember(waiting.workerIds, workerId, present);
  return changed(change, { watches: { ...watches, waiting: { watch, workerIds } } });
}

/** A prefill watch ended: its last set stays, and the one that waits opens. */
export function onPrefillClosed(change: Change, watch: number | undefined): Change {
  const { watches } = change.state;
  const { waiting } = watches;
  const meant = watch ?? watches.attached - 1;
  if (meant === waiting?.watch) return changed(change, { watches: { ...watches, waiting: null } });
  if (meant !== watches.open) return change;
  const closed = changed(change, { watches: { ...watches, open: null, waiting: null } });
  return waiting === null ? closed : open(closed, waiting.watch, waiting.workerIds);
}

function open(change: Change, watch: number, workerIds: ReadonlySet<WorkerId>): Change {
  const opened = changed(change, { watches: { ...change.state.watches, open: watch } });
  if (change.state.policy.prefillWatches === 'takes-over-and-cleans')
    return onInstances(opened, 'prefill', workerIds);
  const { decode, down } = change.state;
  const stillDown = only(down, (id) => decode?.has(id) === true || workerIds.has(id));
  return rejoin(changed(opened, { prefill: workerIds, down: stillDown }));
}
