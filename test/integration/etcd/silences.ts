import type { Follower } from './prefix-recorder.js';
import type { World } from './etcd-behind-proxy.js';

/** A way in which a link falls silent, and its end. */
export interface Silence {
  readonly name: string;
  readonly begin: (world: World) => Promise<void> | void;
  readonly end: (world: World) => Promise<void> | void;
}

export const silences: readonly Silence[] = [
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
export async function play(
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
