import { connect, type NatsConnection } from 'nats';
import { workerId } from '../../../src/core/worker-id.js';
import { encodeActiveLoad, encodeEnvelope } from '../../../src/wire/loads/load-encoder.js';
import { eventually } from '../../support/eventually.js';

export const SUBJECT = 'namespace.dynamo.component.backend.endpoint.generate.kv_metrics';

/** Publishes numbered loads through the client itself, without tidemark. */
export class NumberedPublisher implements AsyncDisposable {
  sent = 0;

  private constructor(readonly connection: NatsConnection) {}

  static async connect(
    servers: string,
    credentials: { readonly user?: string; readonly pass?: string } = {},
  ): Promise<NumberedPublisher> {
    return new NumberedPublisher(
      await connect({
        ...credentials,
        servers,
        waitOnFirstConnect: true,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 50,
      }),
    );
  }

  /** Publishes the next `count` loads, and waits until the server has them. */
  async publish(count = 1, subject = SUBJECT): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      this.connection.publish(subject, numberedLoad(this.sent));
      this.sent += 1;
    }
    await this.connection.flush();
  }

  /** Waits until it is connected, even after the connection was lost. */
  async connected(): Promise<void> {
    await eventually(() => this.connection.flush().then(() => true));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}

/** A load whose used blocks and whose sequence number are this number. */
function numberedLoad(sequence: number): Uint8Array {
  const load = {
    workerId: workerId('7'),
    dpRank: 0,
    activeDecodeBlocks: null,
    activePrefillTokens: null,
    kvUsedBlocks: sequence,
  };
  return encodeEnvelope({ publisherId: '9', sequence, publishedAt: Date.now() }, encodeActiveLoad(load, 5));
}
