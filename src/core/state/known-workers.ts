import type { Role } from '../events/fleet-event.js';
import type { LoadPolicy } from '../policy/load-policy.js';

/** What the state knows about the presence of workers, and about which sources have reported. */
interface PresentWorkers {
  hasSeen(source: 'configs' | Role): boolean;
  isCounted(slot: number): boolean;
  hasRole(slot: number, role: Role): boolean;
  hasInstance(slot: number): boolean;
  isDown(slot: number): boolean;
}

/** Whether a worker is known under the policy, and therefore judged. */
export function isKnown(workers: PresentWorkers, policy: LoadPolicy, slot: number): boolean {
  const rule = policy.unknownWorkers;
  if (rule.loads === 'tracked') return true;
  if (rule.loads === 'dropped') return workers.hasRole(slot, 'decode') && !workers.isDown(slot);
  if (workers.hasSeen('configs')) return workers.isCounted(slot);
  return (!workers.hasSeen('decode') && !workers.hasSeen('prefill')) || workers.hasInstance(slot);
}
