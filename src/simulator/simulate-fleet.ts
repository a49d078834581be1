import { workerIdFromBigInt } from '../core/worker-id.js';
import { validateFleetPlan, type FleetPlan } from './fleet-plan.js';
import { type SimulatedEvent, SimulatedWorker, seededRandom } from './simulated-worker.js';

const TICK_MS = 200;

/**
 * Simulates a seeded fleet as the bytes that it writes. Workers register, publish the load of every rank five times per
 * second, become busy and idle, leave and return.
 *
 * 1. It is lazy: each event is made when it is requested.
 * 2. Events are in ascending order of `at`. All workers register at 0.
 * 3. The last event is before `durationMs`. Workers that are present then do not leave.
 *
 * @throws FleetPlanError with all problems of the plan
 *
 * @example
 * ```ts
 * import { policies } from 'tidemark';
 * import { simulateFleet } from 'tidemark/simulator';
 *
 * const plan = { seed: 1, workers: 2, ranks: 1, durationMs: 1000, startedAt: 0, policy: policies['dynamo-1.6'] };
 * const keys = [...simulateFleet(plan)].flatMap((event) => ('key' in event ? [event.key.split('/')[1]] : []));
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
