import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { inFaultRuns } from '../../support/in-fault-runs.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { Listener } from './listener.js';
import { Speaker, SUBJECT } from './speaker.js';

interface World {
  readonly server: NatsServer;
  readonly proxy: FaultProxy;
  readonly speaker: Speaker;
  readonly listener: Listener;
}

/** A server, a proxy in front of it, a publisher that bypasses the proxy and a subscriber behind it. */
async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  await using server = await startNats();
  await using proxy = await startFaultProxy({ to: server.port });
  await using speaker = await Speaker.connect(server.url);
  using listener = new Listener({ servers: `nats://127.0.0.1:${proxy.port}` });
  await listener.until('live');
  await speaker.say(2);
  await eventually(() => expect(listener.heard).toEqual([0, 1]));
  await body({ server, proxy, speaker, listener });
}

/** Everything that was published was heard, or lies in a gap that was reported as one over a detached interval. */
async function nothingUnreported({ speaker, listener }: World): Promise<void> {
  await speaker.say();
  await eventually(() => expect(listener.heard.at(-1)).toBe(speaker.sent - 1));
  await eventually(() => {
    const gaps = listener.reports.flatMap((report) => report.gaps);
    const reported = gaps.flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, n) => from + n),
    );
    const all = [...listener.heard, ...reported].sort((one, two) => one - two);
    expect(all).toEqual(Array.from({ length: speaker.sent }, (_, n) => n));
    expect(gaps.every(({ detached }) => detached)).toBe(true);
  });
}

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
      // The publisher reconnects too.
      await eventually(() => world.speaker.connection.flush().then(() => true));
      await nothingUnreported(world);
    });
  });

  it('a server that starts late: is down, retries, and connects', async () => {
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

  it('a peer that accepts connections and does not answer is reported within 5 s, and leaves no socket behind', async () => {
    await using server = await startNats();
    await using proxy = await startFaultProxy({ to: server.port });
    proxy.hold(true);
    using listener = new Listener({ servers: `nats://127.0.0.1:${proxy.port}` });
    await listener.until('down');
    expect(listener.whys).toContain(
      'the server accepts connections but does not answer: timed out after 2000 ms',
    );
    await eventually(() => expect(proxy.accepted).toBeGreaterThan(2));
    await eventually(() => expect(proxy.connections).toBeLessThanOrEqual(1));
    await proxy.heal();
    await listener.until('live');
  });

  inFaultRuns(() => {
    it.each(['both', 'toClient', 'toServer'] as const)(
      'half open, %s: noticed within 10 s',
      async (direction) => {
        await inWorld(async (world) => {
          const { proxy, speaker, listener } = world;
          const mark = listener.statuses.length;
          const began = performance.now();
          proxy.halfOpen(direction);
          await speaker.say(5);
          await listener.until('down', mark);
          const noticedMs = performance.now() - began;
          await proxy.heal();
          await listener.until('live', mark);
          console.info(`half open, ${direction}: noticed after ${(noticedMs / 1000).toFixed(1)} s`);
          expect(noticedMs).toBeLessThan(12_000);
          await nothingUnreported(world);
        });
      },
    );

    it('half open with 18 MB that do not arrive: noticed, and the loads after them are a gap', async () => {
      await inWorld(async (world) => {
        const { proxy, speaker, listener } = world;
        const mark = listener.statuses.length;
        proxy.halfOpen('both');
        for (let n = 0; n < 18; n += 1) speaker.connection.publish(SUBJECT, Buffer.alloc(1e6));
        await speaker.say(5);
        await listener.until('down', mark);
        await proxy.heal();
        await listener.until('live', mark);
        await nothingUnreported(world);
      });
    });

    it('a paused server is noticed', async () => {
      await inWorld(async (world) => {
        const { server, listener } = world;
        const mark = listener.statuses.length;
        await server.pause();
        await listener.until('down', mark);
        server.resume();
        await listener.until('live', mark);
        await nothingUnreported(world);
      });
    });

    it('an event loop that stood still for 13 s loses the connection, and reports the gap', async () => {
      await inWorld(async (world) => {
        const until = performance.now() + 13_000;
        while (performance.now() < until);
        await eventually(() => world.speaker.connection.flush().then(() => true));
        await nothingUnreported(world);
      });
    });

    it('40 cuts', async () => {
      await inWorld(async (world) => {
        for (let n = 0; n < 40; n += 1) {
          await world.speaker.say(3);
          world.proxy.cut();
          await new Promise((resolve) => setTimeout(resolve, n * 10));
        }
        await world.listener.until('live', world.listener.statuses.length - 1);
        await nothingUnreported(world);
      });
    });
  });
});
