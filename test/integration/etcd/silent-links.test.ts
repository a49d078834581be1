import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { inFaultRuns } from '../../support/in-fault-runs.js';
import type { Follower } from './follower.js';
import { hurried } from './schedulers.js';
import { startWorld, type World } from './world.js';

interface Silence {
  readonly name: string;
  readonly begin: (world: World) => Promise<void> | void;
  readonly end: (world: World) => Promise<void> | void;
}

const silences: readonly Silence[] = [
  ...(['both', 'toServer', 'toClient'] as const).map((directions): Silence => ({
    name: `a half-open connection, ${directions}`,
    begin: ({ proxy }) => proxy.halfOpen(directions),
    end: ({ proxy }) => proxy.heal(),
  })),
  {
    name: 'a stopped server',
    begin: ({ server }) => server.pause(),
    end: ({ server }) => server.resume(),
  },
];

/** Has a silence noticed and healed; in milliseconds, how long both took. */
async function play(
  world: World,
  follower: Follower,
  { begin, end }: Silence,
): Promise<{ noticed: number; healed: number }> {
  const { mark } = follower;
  const begun = performance.now();
  await begin(world);
  const noticed = (await follower.until('down', mark)).at - begun;
  const ended = performance.now();
  await end(world);
  const healed = (await follower.until('live', mark)).at - ended;
  return { noticed, healed };
}

describeWith('etcd', 'a link that is silent', () => {
  it.concurrent.each(silences)('$name is noticed, and nothing is lost', async (silence) => {
    await using world = await startWorld();
    using follower = world.follow({ scheduler: hurried(4) });
    await follower.until('live');
    // One connection for everything: what is asked goes where the watch is.
    await eventually(() => world.proxy.connections === 1);
    await world.truth.many('v1/', 5);
    await play(world, follower, silence);
    expect(follower.whys).toContain('timed out');
    await world.truth.many('v1/', 5);
    await follower.hears(world.truth);
    expect(follower.resyncs).toBe(0);
  });

  inFaultRuns(() => {
    it(
      'that accepts and holds connections is left within 3 s, and leaves no socket',
      { timeout: 120_000 },
      async () => {
        await using world = await startWorld();
        using follower = world.follow();
        await follower.until('live');
        const { mark } = follower;
        world.proxy.hold(true);
        world.proxy.cut();
        await follower.until('down', mark);
        await world.truth.many('v1/', 20);
        await sleep(30_000);
        expect(follower.whys).toContain('does not answer: timed out after 3000 ms');
        expect(world.proxy.connections).toBeLessThanOrEqual(1);
        await world.proxy.heal();
        await follower.hears(world.truth);
        await eventually(() => world.proxy.connections === 1);
        expect(follower.resyncs).toBe(0);
      },
    );

    it.each(silences)('$name, in real time', { timeout: 120_000 }, async (silence) => {
      await using world = await startWorld();
      using follower = world.follow();
      await follower.until('live');
      await sleep(7_000);
      const { noticed, healed } = await play(world, follower, silence);
      const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
      process.stdout.write(
        `${silence.name}: noticed after ${inSeconds(noticed)}, live ${inSeconds(healed)} after healing\n`,
      );
      expect(noticed).toBeLessThan(10_000);
      expect(healed).toBeLessThan(3_000);
      await world.truth.many('v1/', 5);
      await follower.hears(world.truth);
    });
  });
});
