import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { SUBJECT } from './numbered-publisher.js';
import { inWorld, nothingUnreported } from './nats-behind-proxy.js';

describeWith('nats-server', 'natsLoads when the connection is lost', () => {
  it.each(['both', 'toClient', 'toServer'] as const)('half open, %s: noticed', async (direction) => {
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
      await nothingUnreported(world);
    });
  });

  it('half open with 18 MB that do not come through: noticed, and what was said after them is a gap', async () => {
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

  it('a server that stands still is noticed', async () => {
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
      await world.speaker.connected();
      await nothingUnreported(world);
    });
  });

  it('40 cuts', async () => {
    await inWorld(async (world) => {
      for (let n = 0; n < 40; n += 1) {
        await world.speaker.say(3);
        world.proxy.cut();
        await sleep(n * 10);
      }
      await world.listener.until('live', world.listener.statuses.length - 1);
      await nothingUnreported(world);
    });
  });
});
