import type { ActiveLoad, FleetEvent, LoadReceived, RuntimeConfig } from '../../core/events/fleet-event.js';
import { workerId, type WorkerId } from '../../core/worker-id.js';

/** A worker as a test names it: its id as text or number. */
export type WorkerName = string | number;

const id = (name: WorkerName): WorkerId => workerId(String(name));

/**
 * Fleet events in the words of a test: workers by name, and only the values that matter.
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
  /** A load of one rank, 0 unless told; values that are not given are no values. */
  load: (worker: WorkerName, values: Partial<Omit<ActiveLoad, 'workerId'>> = {}): LoadReceived => ({
    kind: 'load',
    workerId: id(worker),
    dpRank: 0,
    activeDecodeBlocks: null,
    activePrefillTokens: null,
    kvUsedBlocks: null,
    ...values,
  }),
  /** All cards at once. */
  configs: (cards: Readonly<Record<WorkerName, RuntimeConfig>>): FleetEvent => ({
    kind: 'configs',
    workers: new Map(Object.entries(cards).map(([worker, card]) => [id(worker), card])),
  }),
  /** One card; `null` removes it. */
  config: (worker: WorkerName, config: RuntimeConfig | null): FleetEvent => ({
    kind: 'config',
    workerId: id(worker),
    config,
  }),
  /** All decode instances at once. */
  decodeInstances: (...workers: WorkerName[]): FleetEvent => ({
    kind: 'decodeInstances',
    workerIds: workers.map(id),
  }),
  /** One decode instance that came or went. */
  instance: (worker: WorkerName, present: boolean): FleetEvent => ({
    kind: 'instance',
    workerId: id(worker),
    present,
  }),
  /** The request path marked a worker. */
  marked: (worker: WorkerName): FleetEvent => ({ kind: 'marked', workerId: id(worker) }),
} as const;
