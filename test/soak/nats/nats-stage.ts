import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';
import { natsMessages } from '../../../src/adapters/nats/nats-messages.js';
import type { NatsAuth } from '../../../src/adapters/nats/nats-options.js';
import { receiveLoads } from '../../../src/dynamo/loads/receive-loads.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { Stage } from '../stage.js';
import { NatsListener } from './nats-listener.js';

export const LISTENER = { user: 'listener', password: 'heard' } satisfies NatsAuth;
export const PUBLISHER = { user: 'publisher', pass: 'said' };

/** Separate users, so that only the listener is refused. */
const withPassword = (password: string): { configText: string } => ({
  configText:
    `authorization { users: [ { user: ${LISTENER.user}, password: ${password} }, ` +
    `{ user: ${PUBLISHER.user}, password: ${PUBLISHER.pass} } ] }`,
});

/** A server for a listener and for publishers. */
export function startSoakServer(): Promise<NatsServer> {
  return startNats(withPassword(LISTENER.password));
}

export function listenThrough(port: number): NatsListener {
  const messages = natsMessages({ servers: `nats://127.0.0.1:${port}`, auth: LISTENER });
  const source = receiveLoads(messages, { scheduler: monotonicScheduler });
  return new NatsListener(source, ({ workerId, activeDecodeBlocks }) => [
    workerId,
    Number(activeDecodeBlocks),
  ]);
}

/** A stage on which loads are published directly to the server. */
export class NatsStage extends Stage<NatsServer, NatsListener> {
  override listen(): NatsListener {
    return listenThrough(this.proxy.port);
  }

  /** Restarts the server so that the password of the listener is valid or not. */
  async setPasswordValid(isValid: boolean): Promise<void> {
    await this.server.restart(withPassword(isValid ? LISTENER.password : 'other'));
  }
}
