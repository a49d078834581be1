import type { ActiveLoad, FleetEvent, LoadReceived, RuntimeConfig } from '../../core/events/fleet-event.js';
import { workerId, type WorkerId } from '../../core/worker-id.js';

/** A worker id as a text or a number. */
export type WorkerName = string | number;

const id = (name: WorkerName): WorkerId => workerId(String(name));

/**
 * Builders of fleet events for tests: workers are texts or numbers, and only the values that matter have to be given.
 *
 * @example
 * ```ts
 * import { from } from 'rxjs';
 * import { policies, reduceFleet, transitions } from 'tidemark';
 * import { fleetEvents as fleet } from 'tidemark/testing';
 *
 * from([
 *   fleet.configs({ 7: { totalKvBlocks: 100 } }),
 *   fleet.load(7, { kvUsedBlocks: 90 }),
 *   fleet.load(7, { kvUsedBlocks: 10 }),
 * ])
 *   .pipe(reduceFleet(policies.default, { thresholds: { activeDecodeBlocksThreshold: 0.85 } }), transitions())
 *   .subscribe(({ workerId, busy }) => console.log(workerId, busy));
 * // Logs: 7 true
 * // Logs: 7 false
 * ```
 *
 * @see {@link fakeSource}
 */
export const fleetEvents = {
  /** A load of one rank, 0 by default. Values that are not given are `null`. */
  load: (worker: WorkerName, values: Partial<Omit<ActiveLoad, 'workerId'>> = {}): LoadReceived => ({
    kind: 'load',
    workerId: id(worker),
    dpRank: 0,
    activeDecodeBlocks: null,
    activePrefillTokens: null,
    kvUsedBlocks: null,
    ...values,
  }),
  /** A snapshot of all configs. */
  configs: (configs: Readonly<Record<WorkerName, RuntimeConfig>>): FleetEvent => ({
    kind: 'configs',
    workers: new Map(Object.entries(configs).map(([worker, config]) => [id(worker), config])),
  }),
  /** The config of one worker; `null` removes it. */
  config: (worker: WorkerName, config: RuntimeConfig | null): FleetEvent => ({
    kind: 'config',
    workerId: id(worker),
    config,
  }),
  /** A snapshot of all decode instances, and how it differs from the instances before. */
  decodeInstances: (workers: readonly WorkerName[], before: readonly WorkerName[] = []): FleetEvent => {
    const [present, last] = [new Set(workers.map(id)), new Set(before.map(id))];
    return {
      kind: 'decodeInstances',
      added: [...present].filter((worker) => !last.has(worker)),
      removed: [...last].filter((worker) => !present.has(worker)),
      present,
    };
  },
  /** One decode instance that joined or left. */
  instance: (worker: WorkerName, present: boolean): FleetEvent => ({
    kind: 'instance',
    workerId: id(worker),
    present,
  }),
  /** The overload mark of a worker. */
  marked: (worker: WorkerName): FleetEvent => ({ kind: 'marked', workerId: id(worker) }),
} as const;
