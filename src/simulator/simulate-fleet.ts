import { type SimulatedEvent, encodeChanges } from './encode-changes.js';
import { validateFleetPlan, type FleetPlan } from './fleet-plan.js';
import { type SimulatedChange, TICK_MS, seededRandom, simulatedWorkers } from './simulated-worker.js';

/**
 * Simulates a seeded fleet as the bytes that it writes. Workers register, publish the load of every rank five times per
 * second, become busy and idle, leave and return.
 *
 * 1. It is lazy: each event is made when it is requested.
 * 2. Events are in ascending order of `at`. All workers register at 0.
 * 3. The last event is before `durationMs`. Workers that are present then do not leave.
 * 4. Prefill workers are at the endpoint `prefill.generate` and publish many prefill tokens and few KV blocks.
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
 *
 * @see {@link SimulatedRouter}, for a fleet whose load follows from its requests
 */
export function* simulateFleet(plan: FleetPlan): Generator<SimulatedEvent, void, undefined> {
  validateFleetPlan(plan);
  yield* encodeChanges(waveChanges(plan), plan);
}

/** The changes of {@link simulateFleet}. */
export function* waveChanges(plan: FleetPlan): Generator<SimulatedChange, void, undefined> {
  const workers = simulatedWorkers(plan, seededRandom(plan.seed));
  for (let at = 0; at < plan.durationMs; at += TICK_MS) {
    for (const worker of workers) {
      yield* worker.presence(at);
      if (!worker.isPresent(at)) continue;
      for (let dpRank = 0; dpRank < plan.ranks; dpRank += 1)
        yield { at, worker, load: worker.wave(at, dpRank) };
    }
  }
}
