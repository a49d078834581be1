import { type OperatorFunction, pipe } from 'rxjs';
import type { NatsConnectionOptions } from '../../../src/adapters/nats/nats-options.js';
import { natsPublisher, type PublisherStatus } from '../../../src/adapters/nats/nats-publisher.js';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { workerId } from '../../../src/core/worker-id.js';
import { type LoadMessagesOptions, loadMessages } from '../../../src/dynamo/publishing/load-messages.js';

const endpoint = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
/** A load of one rank. */
export const load = (dpRank: number, activeDecodeBlocks: number): ActiveLoad => ({
  workerId: workerId('7'),
  dpRank,
  activeDecodeBlocks,
  activePrefillTokens: null,
  kvUsedBlocks: null,
});

/** Publishes loads over NATS, as a worker or a router does. */
export function publishLoads(
  connection: NatsConnectionOptions,
  options: Omit<LoadMessagesOptions, 'endpoint'>,
): OperatorFunction<ActiveLoad, PublisherStatus> {
  return pipe(loadMessages({ endpoint, ...options }), natsPublisher(connection));
}
