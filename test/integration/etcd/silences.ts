import type { PrefixRecorder } from './prefix-recorder.js';
import type { EtcdBehindProxy } from './etcd-behind-proxy.js';

/** A way in which a link becomes silent, and how to end it. */
export interface Silence {
  readonly name: string;
  readonly begin: (setup: EtcdBehindProxy) => Promise<void> | void;
  readonly end: (setup: EtcdBehindProxy) => Promise<void> | void;
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

/** Makes a link silent and restores it. Returns how long detection and recovery took, in milliseconds. */
export async function play(
  setup: EtcdBehindProxy,
  recorder: PrefixRecorder,
  { begin, end }: Silence,
): Promise<{ noticed: number; healed: number }> {
  const { statusCount } = recorder;
  const begun = performance.now();
  await begin(setup);
  const noticed = (await recorder.until('down', statusCount)).at - begun;
  const ended = performance.now();
  await end(setup);
  const healed = (await recorder.until('live', statusCount)).at - ended;
  return { noticed, healed };
}
