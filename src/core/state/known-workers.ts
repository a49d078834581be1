import type { LoadPolicy } from '../policy/load-policy.js';
import type { WorkerSlots } from './storage/workers.js';

/** Whether a worker is known under the policy, and therefore judged. */
export function isKnown(workers: WorkerSlots, policy: LoadPolicy, slot: number): boolean {
  const rule = policy.unknownWorkers;
  if (rule.loads === 'tracked') return true;
  if (rule.loads === 'dropped') return workers.hasRole(slot, 'decode') && !workers.isDown(slot);
  if (workers.hasSeen('configs')) return workers.isCounted(slot);
  return (!workers.hasSeen('decode') && !workers.hasSeen('prefill')) || workers.hasInstance(slot);
}
