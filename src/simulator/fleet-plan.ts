import { TidemarkError } from '../core/errors.js';
import { anObject, shownValue } from '../core/option-problems.js';
import type { LoadPolicy } from '../core/policy/load-policy.js';

/** The size and duration of a simulated fleet. */
export interface FleetPlan {
  /** The same seed gives the same fleet, byte for byte. A whole number from 0 to 2^32 − 1. */
  readonly seed: number;
  /** The number of workers, 1 to 10 000. */
  readonly workers: number;
  /**
   * The number of prefill workers, 0 to 10 000; 0 when absent. With prefill workers, the other workers only decode.
   * Without, each worker does both.
   */
  readonly prefillWorkers?: number;
  /** Data-parallel ranks of each worker, 1 to 64. */
  readonly ranks: number;
  readonly durationMs: number;
  /** The policy whose `wire` cell decides which release's bytes the fleet writes. */
  readonly policy: LoadPolicy;
  /** The model that the workers serve; `demo-model` when absent. */
  readonly model?: string;
  /** The wall-clock time of the start, in milliseconds since the Unix epoch. It is only written into messages. */
  readonly startedAt: number;
}

/** An invalid plan. `problems` lists everything that is wrong with it. */
export class FleetPlanError extends TidemarkError {
  override readonly name = 'FleetPlanError';

  constructor(readonly problems: readonly string[]) {
    super('fleet-plan', `${problems.join('; ')}.`);
  }
}

const LIMITS = {
  seed: [0, 0xffff_ffff],
  workers: [1, 10_000],
  prefillWorkers: [0, 10_000],
  ranks: [1, 64],
} as const;

/** @throws FleetPlanError with all problems at once */
export function validateFleetPlan(plan: FleetPlan): void {
  if (!anObject.is(plan)) throw new FleetPlanError([`the plan must be an object, not ${shownValue(plan)}`]);
  const problems: string[] = [];
  for (const [name, [min, max]] of Object.entries(LIMITS)) {
    const value = plan[name as keyof typeof LIMITS];
    if (name === 'prefillWorkers' && value === undefined) continue;
    if (!Number.isSafeInteger(value) || Number(value) < min || Number(value) > max) {
      problems.push(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
    }
  }
  if (!(plan.durationMs > 0 && plan.durationMs < Infinity)) {
    problems.push(`the duration must be above 0, not ${plan.durationMs} ms`);
  }
  if (!anObject.is(plan.policy))
    problems.push(`policy must be one of policies, not ${shownValue(plan.policy)}`);
  if (problems.length > 0) throw new FleetPlanError(problems);
}
