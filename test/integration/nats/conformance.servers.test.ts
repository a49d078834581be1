import { afterAll, beforeAll, it } from 'vitest';
import { natsMessages } from '../../../src/adapters/nats/nats-messages.js';
import {
  type MessageSourceHarness,
  messageSourceCases,
} from '../../../src/testing/conformance/message-source-cases.js';
import { describeWith } from '../../support/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.js';
import { type NatsServer, startNats } from '../../support/nats-server.js';
import { NumberedPublisher } from './numbered-publisher.js';

describeWith('nats-server', 'conformance of messages on NATS', () => {
  let server: NatsServer;
  let proxy: FaultProxy | undefined;
  let publisher: NumberedPublisher;
  let sources = 0;
  beforeAll(async () => {
    server = await startNats();
    proxy = await startFaultProxy({ to: server.port });
    publisher = await NumberedPublisher.connect(server.url);
  });
  afterAll(async () => {
    await publisher[Symbol.asyncDispose]();
    await proxy?.stop();
    await server.stop();
  });

  /** The messages on separate subjects. One is made before the server runs, only to list its cases. */
  const harness = (): MessageSourceHarness => {
    sources += 1;
    return {
      source: natsMessages({ servers: `nats://127.0.0.1:${proxy?.port ?? 1}` }),
      prefix: `source-${sources}.`,
      publish: (subject, data) => {
        publisher.connection.publish(subject, data);
        return publisher.connection.flush();
      },
      open: () => proxy?.connections ?? 0,
      interrupt: async () => {
        await proxy?.refuse(true);
        proxy?.cut();
        return () => proxy?.refuse(false);
      },
    };
  };

  it.each(messageSourceCases(harness))('$name', ({ run }) => run());
});
