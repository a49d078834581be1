import { map } from 'rxjs';
import { afterAll, beforeAll, it } from 'vitest';
import type { NatsLink } from '../../../src/adapters/nats/nats-link.js';
import { natsLoads } from '../../../src/dynamo/loads/receive-loads.js';
import { sourceCases, type SourceHarness } from '../../../src/testing/conformance/source-cases.js';
import { describeWith } from '../../support/describe-with.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { numberedLoad, NumberedPublisher, SUBJECT } from './numbered-publisher.js';

describeWith('nats-server', 'source conformance - NATS', () => {
  let server: NatsServer;
  let publisher: NumberedPublisher;
  beforeAll(async () => {
    server = await startNats();
    publisher = await NumberedPublisher.connect(server.url);
  });
  afterAll(async () => {
    await publisher[Symbol.asyncDispose]();
    await server.stop();
  });

  /** The connection, with its subscriptions counted. */
  function counted(): { readonly link: NatsLink; readonly open: () => number } {
    let open = 0;
    const { connection } = publisher;
    const link: NatsLink = {
      subscribe: (subject, options) => {
        open += 1;
        const subscription = connection.subscribe(subject, options);
        return {
          unsubscribe: () => {
            open -= 1;
            subscription.unsubscribe();
          },
        };
      },
      publish: (subject, data) => connection.publish(subject, data),
      flush: () => connection.flush(),
      isClosed: () => connection.isClosed(),
      closed: () => connection.closed(),
      status: () => connection.status(),
      getServer: () => connection.getServer(),
    };
    return { link, open: () => open };
  }

  function make(): SourceHarness<number> {
    let made: ReturnType<typeof counted> | null = null;
    // The cases are listed before the server runs.
    const link = new Proxy({} as NatsLink, {
      get: (_, name) => Reflect.get((made ??= counted()).link, name) as unknown,
    });
    return {
      source$: natsLoads({ connection: link }).loads$.pipe(map(({ kvUsedBlocks }) => Number(kvUsedBlocks))),
      values: [1, 2, 3],
      // After a flush, earlier subscriptions are active and earlier messages have been received.
      ready: () => publisher.connection.flush(),
      push: async (value) => {
        publisher.connection.publish(SUBJECT, numberedLoad(value));
        await publisher.connection.flush();
      },
      open: () => made?.open() ?? 0,
    };
  }

  for (const { name, run } of sourceCases(make)) it(name, run);
});
