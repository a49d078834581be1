import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import type { SoakOptions } from '../options.js';
import { playFaults } from '../play-faults.js';
import { ProcessWatch } from '../process-watch.js';
import type { MessageSums, NatsResult } from '../soak-result.js';
import { steppedClock } from '../stepped-clock.js';
import type { NatsListener } from './nats-listener.js';
import { measureDownTime, countLosses, type Losses } from './losses.js';
import { natsFaults } from './nats-faults.js';
import { listenThrough, NatsStage, PUBLISHER, startSoakServer } from './nats-stage.js';
import { publishers, type Publisher } from './publishers.js';

/** How long it may take until losses are reported; they are reported once per second. */
const REPORT_MS = 5_000;

/** Runs faults against a NATS server for some time. */
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
  const sources = await publishers(server.url, PUBLISHER);
  // The accounting of a publisher starts with its first received message.
  for (const publisher of sources) publisher.publish();
  await eventually(() => sources.every(({ worker }) => listener.of(worker).length > 0));
  watch.start();
  for (const publisher of sources) publisher.start();
  const stage = new NatsStage(server, proxy, listener, clock, seededRandom(seed));
  const played = await playFaults(stage, natsFaults, minutes, (text) => {
    const { lost, lostInGaps, lostDetached } = sums(sources, listener);
    progress(`${text}; ${lost} lost, ${lost - lostInGaps - lostDetached} of them not reported yet`);
  });

  await proxy.heal();
  await Promise.all(sources.map((publisher) => publisher.end()));
  await eventually(() =>
    sources.every(({ worker, count }) => listener.of(worker).at(-1)?.number === count - 1),
  ).catch(() => undefined);
  const areReported = (): boolean => {
    const { lost, lostInGaps, lostDetached } = sums(sources, listener);
    return lost === lostInGaps + lostDetached;
  };
  await eventually(areReported, REPORT_MS).catch(() => undefined);
  // Wrong reports would arrive within the same time.
  await sleep(1_500);
  const { times, milliseconds } = listener.account?.detached ?? { times: 0, milliseconds: 0 };
  const result = { ...sums(sources, listener), ...measureDownTime(stage.times, listener.statuses) };
  listener.unsubscribe();
  await Promise.all(sources.map((publisher) => publisher.close()));
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

/** The sums of messages of all publishers so far. */
function sums(sources: readonly Publisher[], { received, gaps, statuses }: NatsListener): MessageSums {
  const each = sources.map(({ worker, count, publisherId }) => {
    const own = publisherId === null ? null : gaps.filter((gap) => gap.publisherId === publisherId);
    const losses = countLosses(count, received.get(worker) ?? [], own, statuses);
    return { ...losses, count, received: received.get(worker)?.length ?? 0, numbered: publisherId !== null };
  });
  const sum = (valueOf: (publisher: (typeof each)[number]) => number): number =>
    each.reduce((total, publisher) => total + valueOf(publisher), 0);
  const total = (name: keyof Losses): number => sum((losses) => losses[name]);
  return {
    published: sum(({ count }) => count),
    received: sum((publisher) => publisher.received),
    lost: total('lost'),
    lostInGaps: sum(({ numbered, reported }) => (numbered ? reported : 0)),
    lostDetached: sum(({ numbered, reported }) => (numbered ? 0 : reported)),
    reportedWrongly: total('reportedWrongly'),
    duplicates: total('duplicates'),
    outOfOrder: total('outOfOrder'),
  };
}
