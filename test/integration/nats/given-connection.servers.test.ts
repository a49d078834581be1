import { connect as connectThree } from '@nats-io/transport-node';
import { connect as connectTwo } from 'nats';
import { expect, it } from 'vitest';
import type { NatsLink } from '../../../src/adapters/nats/nats-link.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startNats } from '../../support/nats-server.js';
import { LoadRecorder } from './load-recorder.js';
import { NumberedPublisher } from './numbered-publisher.js';

type Owned = NatsLink & { close(): Promise<void> };
const reconnecting = { maxReconnectAttempts: -1, reconnectTimeWait: 100 };

describeWith('nats-server', 'receiveLoads over a given NATS connection', () => {
  it.each<[string, (servers: string) => Promise<Owned>]>([
    ['nats 2', (servers) => connectTwo({ servers, ...reconnecting })],
    ['@nats-io/transport-node 3', (servers) => connectThree({ servers, ...reconnecting })],
  ])(
    '%s: receives loads, reports loss and recovery, leaves the connection open, and ends with it',
    async (_, connect) => {
      await using server = await startNats();
      await using publisher = await NumberedPublisher.connect(server.url);
      const connection = await connect(server.url);
      {
        using recorder = new LoadRecorder({ connection });
        await recorder.until('live');
        await publisher.publish(2);
        await eventually(() => expect(recorder.received).toEqual([0, 1]));
        const statusCount = recorder.statuses.length;
        await server.kill();
        await recorder.until('down', statusCount);
        await server.restart();
        await recorder.until('live', statusCount);
        await publisher.connected();
        await publisher.publish(1);
        await eventually(() => expect(recorder.received).toContain(publisher.sent - 1));
      }
      expect(connection.isClosed()).toBe(false);
      using second = new LoadRecorder({ connection });
      await second.until('live');
      await connection.close();
      await second.until('ended');
    },
  );
});
