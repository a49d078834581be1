import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { startNats } from '../../support/nats-server.js';
import { LoadRecorder } from './load-recorder.js';
import { withNatsBehindProxy, expectLossesReported } from './nats-behind-proxy.js';

describeWith('nats-server', 'receiveLoads over NATS when the connection is lost', () => {
  it.each([
    ['cut', (proxy: FaultProxy) => proxy.cut()],
    ['ended in order', (proxy: FaultProxy) => proxy.finish()],
  ])('%s: it recovers, and missed messages are a reported gap', async (_, harm) => {
    await withNatsBehindProxy(async (setup) => {
      const { proxy, publisher, recorder } = setup;
      await proxy.refuse(true);
      harm(proxy);
      await recorder.until('down');
      await publisher.publish(5);
      const statusCount = recorder.statuses.length;
      await proxy.heal();
      await recorder.until('live', statusCount);
      await expectLossesReported(setup);
      expect(recorder.received).not.toContain(4);
    });
  });

  it('a server that is killed and started again', async () => {
    await withNatsBehindProxy(async (setup) => {
      const { server, recorder } = setup;
      await server.kill();
      await recorder.until('down');
      const statusCount = recorder.statuses.length;
      await server.restart();
      await recorder.until('live', statusCount);
      // The publisher reconnects too.
      await setup.publisher.connected();
      await expectLossesReported(setup);
    });
  });

  it('a server that does not run yet: is reported, and retried until it runs', async () => {
    await using server = await startNats();
    await server.kill();
    using recorder = new LoadRecorder({ servers: server.url });
    await recorder.until('down');
    expect(recorder.reasons).toContain(`NATS at ${server.url}, connecting: connect ECONNREFUSED`);
    expect(recorder.statuses.at(-1)?.retryInMs).toBeGreaterThan(0);
    await server.restart();
    await recorder.until('live');
  });

  it('bytes that are not NATS end the connection, and the next one recovers', async () => {
    await withNatsBehindProxy(async (setup) => {
      const { proxy, recorder } = setup;
      const statusCount = recorder.statuses.length;
      proxy.inject('\x00garbage that no server says\r\n', 'toClient');
      await recorder.until('down', statusCount);
      await recorder.until('live', statusCount);
      await expectLossesReported(setup);
    });
  });

  it('a peer that accepts connections and does not answer is reported within 5 s, and leaves no socket behind', async () => {
    await using server = await startNats();
    await using proxy = await startFaultProxy({ to: server.port });
    proxy.hold(true);
    using recorder = new LoadRecorder({ servers: `nats://127.0.0.1:${proxy.port}` });
    await recorder.until('down');
    expect(recorder.reasons).toContain(
      'the server accepts connections but does not answer: timed out after 2000 ms',
    );
    await eventually(() => expect(proxy.accepted).toBeGreaterThan(2));
    await eventually(() => expect(proxy.connections).toBeLessThanOrEqual(1));
    await proxy.heal();
    await recorder.until('live');
  });
});
