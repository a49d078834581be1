import { dropsBy } from '../cleanup-drops.js';
import type { ThresholdsChanged } from '../fleet-event.js';
import { fleetProblems } from '../fleet-problems.js';
import type { LoadPolicy } from '../load-policy.js';
import type { Problem } from '../problem.js';
import { rememberedRanks } from '../rank-memory.js';
import { thresholdProblems } from '../threshold-problems.js';
import { leaverOf } from './apply-cards.js';
import { judgeQueued, renewLimits } from './apply-marks.js';
import type { FleetStore } from './fleet-store.js';
import { memoryOf } from './rank-block.js';
import { COUNTED } from './worker-slots.js';

/** Some marks changed, or were refused. An ended fleet keeps its marks changeable and judges nothing by them. */
export function applyThresholds(store: FleetStore, event: ThresholdsChanged): void {
  const refused = event.checked === true ? thresholdProblems(event, store.policy) : [];
  if (refused.length > 0) {
    store.problems.push(...refused.map((text) => fleetProblems.thresholdOutOfRange(text)));
    return;
  }
  const before = store.thresholds;
  store.thresholds = before.update(event);
  if (store.phase !== 'running') return;
  if (store.thresholds !== before) renewLimits(store);
  judgeQueued(store, 'thresholds');
}

/** A source ended: the policy says what that means. */
export function applyEnd(
  store: FleetStore,
  source: Problem['source'],
  rule: LoadPolicy['loadsEnded' | 'configsEnded' | 'instancesEnded'],
): void {
  store.problems.push(fleetProblems.sourceEnded(source, rule));
  if (rule === 'ends-monitor') store.phase = 'ended';
}

/** Nothing comes after a stop but what the policy cleans up. */
export function applyStop(store: FleetStore): void {
  store.phase = 'stopped';
  if (store.policy.stop === 'silent') return;
  for (const slot of store.slots.all()) {
    const memory = store.slots.has(slot, COUNTED) ? undefined : memoryOf(store, slot);
    if (memory === undefined) continue;
    const rule = { types: 'own', withoutRank: true } as const;
    store.drops.push(...dropsBy(rule, store.source, leaverOf(store, slot), rememberedRanks(memory), null));
  }
}
