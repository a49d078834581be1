import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { startEtcd } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { etcdFaults } from '../etcd/etcd-faults.js';
import { EtcdListener as EtcdListener } from '../etcd/etcd-listener.js';
import { Numbers } from '../etcd/numbers.js';
import { measureDownTime } from '../nats/losses.js';
import { natsFaults } from '../nats/nats-faults.js';
import { NatsStage, startSoakServer } from '../nats/nats-stage.js';
import type { SoakOptions } from '../options.js';
import { playFaults, type PlayedFaults } from '../play-faults.js';
import { ProcessWatch } from '../process-watch.js';
import type { FleetResult, MessageSums } from '../soak-result.js';
import { steppedClock } from '../stepped-clock.js';
import { FleetEtcdStage } from './fleet-etcd-stage.js';
import { FleetListener } from './fleet-listener.js';
import { countPublisherLosses, type PublisherLosses } from './publisher-losses.js';
import { Population } from './population.js';
import { findSnapshotDifferences } from './snapshot-differences.js';

/** How long it may take until the view of an unchanging fleet is right: a killed worker leaves with its lease. */
const SEEN_MS = 40_000;
/** Gaps are reported once per second. */
const REPORT_MS = 2_500;

/** How often every kind of fault occurs at least. The soaks of one system run each kind twice. */
const MIN_COUNT = 1;

/** Faults of this process are already among the faults of etcd. */
const ownFaults = Object.fromEntries(
  Object.entries(natsFaults).filter(([kind]) => !/^clock|^client process/.test(kind)),
);

/** Runs faults against etcd and NATS at the same time, while a monitor watches a fleet through both. */
export async function soakFleet(
  { minutes, seed }: SoakOptions,
  progress: (text: string) => void,
): Promise<FleetResult> {
  const watch = new ProcessWatch();
  const clock = steppedClock();
  const [etcd, nats] = await Promise.all([startEtcd(), startSoakServer()]);
  const etcdProxy = await startFaultProxy({ to: etcd.port });
  const natsProxy = await startFaultProxy({ to: nats.port });
  const fleet = new FleetListener({ nats: natsProxy.port, etcd: etcdProxy.port }, clock);
  // The faults of etcd need a listener for numbers.
  const churn = new EtcdListener(`http://127.0.0.1:${etcdProxy.port}`, clock);
  await Promise.all([fleet.loads.until('live', 0), fleet.discovery.until('live', 0), churn.until('live', 0)]);
  const population = new Population({ etcd: etcd.url, nats: nats.url }, seededRandom(seed + 2));
  await population.ready();
  watch.start();
  population.start();
  const numbers = new Numbers(etcd.gateway, seededRandom(seed + 1));
  const etcdStage = new FleetEtcdStage(
    fleet.discovery,
    numbers,
    etcd,
    etcdProxy,
    churn,
    clock,
    seededRandom(seed),
  );
  const natsStage = new NatsStage(nats, natsProxy, fleet.loads, clock, seededRandom(seed + 3));
  const progressOf = (system: string) => (text: string) => progress(`${system}: ${text}`);
  const [ofEtcd, ofNats] = await Promise.all([
    playFaults(etcdStage, etcdFaults, minutes, progressOf('etcd'), MIN_COUNT),
    playFaults(natsStage, ownFaults, minutes, progressOf('NATS'), MIN_COUNT),
  ]);

  await Promise.all([etcdProxy.heal(), natsProxy.heal(), numbers.stop(), population.settle()]);
  await population.ready();
  for (const worker of population.workers) worker.pause();
  // Every other worker ends above the threshold.
  for (const [index, worker] of population.workers.entries()) {
    for (const rank of worker.blocks.keys()) {
      worker.publish(rank, index % 2 === 0);
      // A publisher of 1.0 would merge loads of ranks that come at the same time.
      await sleep(20);
    }
  }
  await eventually(
    () => findSnapshotDifferences(fleet.monitor, population.workers).length === 0,
    SEEN_MS,
  ).catch(() => undefined);
  const wrong = findSnapshotDifferences(fleet.monitor, population.workers);
  const seen = { workers: population.workers.length, busy: fleet.monitor.snapshot()?.busy.size ?? 0 };
  await Promise.all(population.workers.map((worker) => worker.stopPublishing()));
  await sleep(REPORT_MS);
  const { times: detachedTimes, milliseconds: detachedMs } = fleet.loads.account?.detached ?? {
    times: 0,
    milliseconds: 0,
  };
  const sums = sumsOf(population, fleet);
  await population.leave();
  const isEmpty = (): boolean => findSnapshotDifferences(fleet.monitor, []).length === 0;
  await eventually(isEmpty, SEEN_MS).catch(() => undefined);
  const wrongAfter = findSnapshotDifferences(fleet.monitor, []).map((text) => `after all left: ${text}`);
  const keys = (await etcd.gateway.get('v1/')).map(({ key }) => `the key ${key}`);
  fleet.unsubscribe();
  churn.unsubscribe();
  const leaks = await watch.leaks(async () => {
    await etcdStage.close();
    await natsStage.close();
  });
  const ended = [...fleet.loads.ended, ...fleet.discovery.ended, ...churn.ended];
  return {
    system: 'fleet',
    seed,
    ...both(ofEtcd, ofNats),
    ...sums,
    ...measureDownTime(natsStage.times, fleet.loads.statuses),
    detachedTimes,
    detachedMs,
    joined: population.joined,
    left: population.left,
    killed: population.killed.length,
    killedReceived: population.killed.filter(({ publisherId }) => fleet.loads.of(publisherId).length > 0)
      .length,
    seenWorkers: seen.workers,
    seenBusy: seen.busy,
    viewErrors: [...wrong, ...wrongAfter],
    leaks: [...leaks, ...keys, ...ended.map((text) => `a stream ended: ${text}`)],
    unhandled: watch.unhandled,
  };
}

function both(ofEtcd: PlayedFaults, ofNats: PlayedFaults): PlayedFaults {
  const named = (system: string, { faults }: PlayedFaults): PlayedFaults['faults'] =>
    faults.map((fault) => ({ ...fault, kind: `${system}: ${fault.kind}` }));
  return {
    seconds: Math.max(ofEtcd.seconds, ofNats.seconds),
    faults: [...named('etcd', ofEtcd), ...named('NATS', ofNats)],
    tooRare: [
      ...ofEtcd.tooRare.map((kind) => `etcd: ${kind}`),
      ...ofNats.tooRare.map((kind) => `NATS: ${kind}`),
    ],
  };
}

/** The sums of messages of all publishers. */
function sumsOf({ lifetimes }: Population, { loads }: FleetListener): MessageSums {
  const each = lifetimes.map((lifetime) => {
    const own = loads.gaps.filter((gap) => gap.publisherId === lifetime.publisherId);
    return countPublisherLosses(lifetime, loads.of(lifetime.publisherId), own, loads.statuses);
  });
  const total = (name: keyof PublisherLosses): number => each.reduce((sum, losses) => sum + losses[name], 0);
  const [published, lost] = [total('count'), total('lost')];
  return {
    published,
    received: published - lost,
    lost,
    lostInGaps: total('reported') - total('reportedDown'),
    lostDetached: total('reportedDown'),
    reportedWrongly: total('reportedWrongly'),
    duplicates: total('duplicates'),
    outOfOrder: total('outOfOrder'),
  };
}
