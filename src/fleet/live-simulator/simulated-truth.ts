import { MemoryKeys } from '../../core/sources/key-source.js';
import { MemoryMessages } from '../../core/sources/message-source.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { SimulatedWorker } from '../../simulator/simulated-worker.js';
import { dynamoFleet } from '../dynamo-fleet.js';
import { FleetPools, type PoolRules } from '../pools/fleet-pools.js';
import { CommonStatus } from './common-status.js';
import type { LiveWorkerEvent } from './live-worker.js';
import type { SimulatorEvent } from './simulator-event.js';

/** The name of the source in the status of the registrations. */
export const REGISTRATION = 'registration (etcd)';

/** What the workers of a simulation did, and the judgement on the bytes that they wrote. */
export class SimulatedTruth {
  readonly pools: FleetPools;
  /** The number of loads that were published. */
  published = 0;
  /** Whether the simulation ends. Workers that leave because of that stay in the pools, and count in the result. */
  isEnding = false;
  private readonly keys = new MemoryKeys();
  private readonly messages = new MemoryMessages();
  private readonly registered = new Set<WorkerId>();
  private readonly idOf = new Map<SimulatedWorker, WorkerId>();
  private readonly registrations = new CommonStatus(REGISTRATION);
  private readonly services = new CommonStatus('service');

  constructor(rules: PoolRules) {
    const { keys, messages } = this;
    const { scheduler } = rules;
    this.pools = new FleetPools(dynamoFleet({ discovery: keys, events: messages, scheduler }), rules);
  }

  /** The id under which a simulated worker registered last. */
  registeredId(worker: SimulatedWorker): WorkerId | undefined {
    return this.idOf.get(worker);
  }

  /**
   * Takes in an event of a worker, and returns what to report.
   *
   * @param life an object for the time from when the worker joins until it leaves
   */
  update(event: LiveWorkerEvent, worker: SimulatedWorker, life: object): readonly SimulatorEvent[] {
    if ('message' in event) {
      this.published += 1;
      this.messages.publish(event.message.subject, event.message.data);
      return [];
    }
    if ('service' in event) return this.services.update(life, event.service);
    const { registered, isEnding } = this;
    const { state, workerId } = event.registration;
    const statuses = this.registrations.update(life, event.registration);
    if (workerId === null) return statuses;
    const wasRegistered = registered.has(workerId);
    if (state === 'registered') {
      this.idOf.set(worker, workerId);
      registered.add(workerId);
    }
    if (state === 'ended') registered.delete(workerId);
    if (event.keys.length > 0 && !(state === 'ended' && isEnding)) this.keys.apply(event.keys);
    if (registered.has(workerId) === wasRegistered) return statuses;
    const change = wasRegistered ? 'left' : 'registered';
    return [...statuses, { kind: 'worker', workerId, change, registered: registered.size }];
  }
}
