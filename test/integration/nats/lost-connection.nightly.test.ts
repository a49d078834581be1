import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { SUBJECT } from './numbered-publisher.js';
import { withNatsBehindProxy, expectLossesReported } from './nats-behind-proxy.js';

describeWith('nats-server', 'receiveLoads over NATS when the connection is lost', () => {
  it.each(['both', 'toClient', 'toServer'] as const)('half open, %s: detected', async (direction) => {
    await withNatsBehindProxy(async (setup) => {
      const { proxy, publisher, recorder } = setup;
      const statusCount = recorder.statuses.length;
      const began = performance.now();
      proxy.halfOpen(direction);
      await publisher.publish(5);
      await recorder.until('down', statusCount);
      const noticedMs = performance.now() - began;
      await proxy.heal();
      await recorder.until('live', statusCount);
      console.info(`half open, ${direction}: noticed after ${(noticedMs / 1000).toFixed(1)} s`);
      await expectLossesReported(setup);
    });
  });

  it('half open with 18 MB in transit: detected, and later messages are a gap', async () => {
    await withNatsBehindProxy(async (setup) => {
      const { proxy, publisher, recorder } = setup;
      const statusCount = recorder.statuses.length;
      proxy.halfOpen('both');
      for (let n = 0; n < 18; n += 1) publisher.connection.publish(SUBJECT, Buffer.alloc(1e6));
      await publisher.publish(5);
      await recorder.until('down', statusCount);
      await proxy.heal();
      await recorder.until('live', statusCount);
      await expectLossesReported(setup);
    });
  });

  it('a paused server is detected', async () => {
    await withNatsBehindProxy(async (setup) => {
      const { server, recorder } = setup;
      const statusCount = recorder.statuses.length;
      await server.pause();
      await recorder.until('down', statusCount);
      server.resume();
      await recorder.until('live', statusCount);
      await expectLossesReported(setup);
    });
  });

  it('an event loop that is blocked for 13 s loses the connection, and reports the gap', async () => {
    await withNatsBehindProxy(async (setup) => {
      const until = performance.now() + 13_000;
      while (performance.now() < until);
      await setup.publisher.connected();
      await expectLossesReported(setup);
    });
  });

  it('40 disconnects', async () => {
    await withNatsBehindProxy(async (setup) => {
      for (let n = 0; n < 40; n += 1) {
        await setup.publisher.publish(3);
        setup.proxy.cut();
        await sleep(n * 10);
      }
      await setup.recorder.until('live', setup.recorder.statuses.length - 1);
      await expectLossesReported(setup);
    });
  });
});
