import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { startNats } from '../../support/nats-server.js';
import { Listener } from './load-recorder.js';
import { inWorld, nothingUnreported } from './nats-behind-proxy.js';

describeWith('nats-server', 'natsLoads when the connection is lost', () => {
  it.each([
    ['cut', (proxy: FaultProxy) => proxy.cut()],
    ['ended in order', (proxy: FaultProxy) => proxy.finish()],
  ])('%s: it heals, and what went by is a reported gap', async (_, harm) => {
    await inWorld(async (world) => {
      const { proxy, speaker, listener } = world;
      await proxy.refuse(true);
      harm(proxy);
      await listener.until('down');
      await speaker.say(5);
      const mark = listener.statuses.length;
      await proxy.heal();
      await listener.until('live', mark);
      await nothingUnreported(world);
      expect(listener.heard).not.toContain(4);
    });
  });

  it('a server that is killed and started again', async () => {
    await inWorld(async (world) => {
      const { server, listener } = world;
      await server.kill();
      await listener.until('down');
      const mark = listener.statuses.length;
      await server.restart();
      await listener.until('live', mark);
      // The one who publishes reconnects too.
      await world.speaker.connected();
      await nothingUnreported(world);
    });
  });

  it('a server that is not there yet: says so, tries again, and gets it', async () => {
    await using server = await startNats();
    await server.kill();
    using listener = new Listener({ servers: server.url });
    await listener.until('down');
    expect(listener.whys).toContain(`NATS at ${server.url}, connecting: connect ECONNREFUSED`);
    expect(listener.statuses.at(-1)?.retryInMs).toBeGreaterThan(0);
    await server.restart();
    await listener.until('live');
  });

  it('bytes that are no NATS in between end the connection, and the next one heals', async () => {
    await inWorld(async (world) => {
      const { proxy, listener } = world;
      const mark = listener.statuses.length;
      proxy.inject('\x00garbage that no server says\r\n', 'toClient');
      await listener.until('down', mark);
      await listener.until('live', mark);
      await nothingUnreported(world);
    });
  });

  it('a peer that accepts connections and says nothing is told within 5 s, and leaves no socket behind', async () => {
    await using server = await startNats();
    await using proxy = await startFaultProxy({ to: server.port });
    proxy.hold(true);
    using listener = new Listener({ servers: `nats://127.0.0.1:${proxy.port}` });
    await listener.until('down');
    expect(listener.whys).toContain('it accepts connections but says nothing: timed out after 2000 ms');
    await eventually(() => expect(proxy.accepted).toBeGreaterThan(2));
    await eventually(() => expect(proxy.connections).toBeLessThanOrEqual(1));
    await proxy.heal();
    await listener.until('live');
  });
});
