import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import type { SoakOptions } from '../options.js';
import { play } from '../play.js';
import { ProcessWatch } from '../process-watch.js';
import type { MessageSums, NatsResult } from '../soak-result.js';
import { steppedClock } from '../stepped-clock.js';
import type { Listener } from './listener.js';
import { downTime, lossesOf, type Losses } from './losses.js';
import { natsFaults } from './nats-faults.js';
import { listenThrough, NatsStage, PUBLISHER, startSoakServer } from './nats-stage.js';
import { publishers, type Publisher } from './publishers.js';

/** How long it may take until what was lost is told: it is told once a second. */
const TOLD_MS = 5_000;

/** Plays faults against a NATS server for a time. */
export async function soakNats(
  { minutes, seed }: SoakOptions,
  progress: (text: string) => void,
): Promise<NatsResult> {
  const watch = new ProcessWatch();
  const clock = steppedClock();
  const server = await startSoakServer();
  const proxy = await startFaultProxy({ to: server.port });
  const listener = listenThrough(proxy.port);
  await listener.until('live', 0);
  const said = await publishers(server.url, PUBLISHER);
  // The account of a publisher begins with the first message that comes of it.
  for (const publisher of said) publisher.say();
  await eventually(() => said.every(({ worker }) => listener.of(worker).length > 0));
  watch.begun();
  for (const publisher of said) publisher.begin();
  const stage = new NatsStage(server, proxy, listener, clock, seededRandom(seed));
  const played = await play(stage, natsFaults, minutes, (text) => {
    const { lost, lostInGaps, lostDetached } = sums(said, listener);
    progress(`${text}; ${lost} lost, ${lost - lostInGaps - lostDetached} of them not told yet`);
  });

  await proxy.heal();
  await Promise.all(said.map((publisher) => publisher.end()));
  await eventually(() =>
    said.every(({ worker, count }) => listener.of(worker).at(-1)?.number === count - 1),
  ).catch(() => undefined);
  const allTold = (): boolean => {
    const { lost, lostInGaps, lostDetached } = sums(said, listener);
    return lost === lostInGaps + lostDetached;
  };
  await eventually(allTold, TOLD_MS).catch(() => undefined);
  // What is told too much comes as late.
  await sleep(1_500);
  const { times, milliseconds } = listener.account?.detached ?? { times: 0, milliseconds: 0 };
  const result = { ...sums(said, listener), ...downTime(stage.times, listener.statuses) };
  listener.unsubscribe();
  await Promise.all(said.map((publisher) => publisher.close()));
  const leaks = await stage.takeDown(watch);
  return {
    system: 'nats',
    seed,
    ...played,
    ...result,
    detachedTimes: times,
    detachedMs: milliseconds,
    leaks: [...leaks, ...listener.ended.map((text) => `a stream ended: ${text}`)],
    unhandled: watch.unhandled,
  };
}

/** What became of the messages of all publishers so far. */
function sums(said: readonly Publisher[], { heard, gaps, statuses }: Listener): MessageSums {
  const each = said.map(({ worker, count, publisherId }) => {
    const own = publisherId === null ? null : gaps.filter((gap) => gap.publisherId === publisherId);
    const losses = lossesOf(count, heard.get(worker) ?? [], own, statuses);
    return { ...losses, count, heard: heard.get(worker)?.length ?? 0, numbered: publisherId !== null };
  });
  const sum = (of: (one: (typeof each)[number]) => number): number =>
    each.reduce((total, one) => total + of(one), 0);
  const total = (name: keyof Losses): number => sum((one) => one[name]);
  return {
    published: sum(({ count }) => count),
    heard: sum((one) => one.heard),
    lost: total('lost'),
    lostInGaps: sum(({ numbered, reported }) => (numbered ? reported : 0)),
    lostDetached: sum(({ numbered, reported }) => (numbered ? 0 : reported)),
    reportedWrongly: total('reportedWrongly'),
    toldTwice: total('toldTwice'),
    outOfOrder: total('outOfOrder'),
  };
}
