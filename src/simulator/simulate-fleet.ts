import { workerIdFromBigInt } from '../core/worker-id.js';
import { validateFleetPlan, type FleetPlan } from './fleet-plan.js';
import { type SimulatedEvent, SimulatedWorker, seededRandom } from './simulated-worker.js';

const TICK_MS = 200;

/**
 * A seeded fleet, as the bytes it writes: workers that register, report the load of every rank five times a
 * second, grow busy and idle again, leave and come back.
 *
 * 1. Lazy: a fact is made when it is asked for.
 * 2. Facts come in order of `at`; all workers register at 0, as discovery would tell them at start.
 * 3. The last fact lies before `durationMs`; workers that are there then stay.
 *
 * @throws FleetPlanError with all problems of the plan at once
 *
 * @example
 * ```ts
 * import { policies } from 'tidemark';
 * import { simulateFleet } from 'tidemark/simulator';
 *
 * const plan = { seed: 1, workers: 2, ranks: 1, durationMs: 1000, startedAt: 0, policy: policies['dynamo-1.6'] };
 * const keys = [...simulateFleet(plan)].flatMap((fact) => ('key' in fact ? [fact.key.split('/')[1]] : []));
 * console.log(keys.slice(0, 4));
 * // Logs: [ 'instances', 'mdc', 'instances', 'mdc' ]
 * ```
 */
export function* simulateFleet(plan: FleetPlan): Generator<SimulatedEvent, void, undefined> {
  validateFleetPlan(plan);
  const random = seededRandom(plan.seed);
  const workers = Array.from({ length: plan.workers }, () => {
    // Real ids are lease ids: 63 bits, far above 2^53.
    const id = (BigInt(Math.floor(random() * 2 ** 31)) << 32n) | BigInt(Math.floor(random() * 2 ** 32));
    return new SimulatedWorker(workerIdFromBigInt(id), plan, random);
  });
  for (let at = 0; at < plan.durationMs; at += TICK_MS) {
    for (const worker of workers) yield* worker.tick(at);
  }
}
