import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { startEtcd } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { etcdFaults } from '../etcd/etcd-faults.js';
import { Listener as EtcdListener } from '../etcd/listener.js';
import { Numbers } from '../etcd/numbers.js';
import { downTime } from '../nats/losses.js';
import { natsFaults } from '../nats/nats-faults.js';
import { NatsStage, startSoakServer } from '../nats/nats-stage.js';
import type { SoakOptions } from '../options.js';
import { play, type Played } from '../play.js';
import { ProcessWatch } from '../process-watch.js';
import type { FleetResult, MessageSums } from '../soak-result.js';
import { steppedClock } from '../stepped-clock.js';
import { FleetEtcdStage } from './fleet-etcd-stage.js';
import { FleetListener } from './fleet-listener.js';
import { lossesOfLife, type LossesOfLife } from './losses-of-life.js';
import { Population } from './population.js';
import { wrongView } from './wrong-view.js';

/** How long it may take until a fleet that stands still is seen as it is: a killed worker leaves with its lease. */
const SEEN_MS = 40_000;
/** Gaps are told once a second. */
const TOLD_MS = 2_500;

/** How often every kind occurs at least: the soaks of one system play each twice. */
const LEAST = 1;

/** What meets this whole process is played with the faults of etcd. */
const ownFaults = Object.fromEntries(
  Object.entries(natsFaults).filter(([kind]) => !/^clock|^our own process/.test(kind)),
);

/** Plays faults against etcd and NATS at once, while a monitor watches a fleet through both. */
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
  // The faults of etcd need one who listens to numbers, for they are made between these.
  const churn = new EtcdListener(`http://127.0.0.1:${etcdProxy.port}`, clock);
  await Promise.all([fleet.loads.until('live', 0), fleet.discovery.until('live', 0), churn.until('live', 0)]);
  const population = new Population({ etcd: etcd.url, nats: nats.url }, seededRandom(seed + 2));
  await population.ready();
  watch.begun();
  population.begin();
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
  const said = (system: string) => (text: string) => progress(`${system}: ${text}`);
  const [ofEtcd, ofNats] = await Promise.all([
    play(etcdStage, etcdFaults, minutes, said('etcd'), LEAST),
    play(natsStage, ownFaults, minutes, said('NATS'), LEAST),
  ]);

  await Promise.all([etcdProxy.heal(), natsProxy.heal(), numbers.stop(), population.settle()]);
  await population.ready();
  for (const worker of population.workers) worker.pause();
  // Every other worker ends above the mark.
  for (const [place, worker] of population.workers.entries()) {
    for (const rank of worker.blocks.keys()) {
      worker.say(rank, place % 2 === 0);
      // Ranks of 1.0 that speak at once are heard as one.
      await sleep(20);
    }
  }
  await eventually(() => wrongView(fleet.monitor, population.workers).length === 0, SEEN_MS).catch(
    () => undefined,
  );
  const wrong = wrongView(fleet.monitor, population.workers);
  const seen = { workers: population.workers.length, busy: fleet.monitor.snapshot()?.busy.size ?? 0 };
  await Promise.all(population.workers.map((worker) => worker.silence()));
  await sleep(TOLD_MS);
  const { times: detachedTimes, milliseconds: detachedMs } = fleet.loads.account?.detached ?? {
    times: 0,
    milliseconds: 0,
  };
  const sums = sumsOf(population, fleet);
  await population.leave();
  const gone = (): boolean => wrongView(fleet.monitor, []).length === 0;
  await eventually(gone, SEEN_MS).catch(() => undefined);
  const wrongAfter = wrongView(fleet.monitor, []).map((text) => `after all left: ${text}`);
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
    ...downTime(natsStage.times, fleet.loads.statuses),
    detachedTimes,
    detachedMs,
    came: population.came,
    went: population.went,
    killed: population.killed.length,
    killedHeard: population.killed.filter(({ publisherId }) => fleet.loads.of(publisherId).length > 0).length,
    seenWorkers: seen.workers,
    seenBusy: seen.busy,
    wrongView: [...wrong, ...wrongAfter],
    leaks: [...leaks, ...keys, ...ended.map((text) => `a stream ended: ${text}`)],
    unhandled: watch.unhandled,
  };
}

function both(ofEtcd: Played, ofNats: Played): Played {
  const named = (system: string, { faults }: Played): Played['faults'] =>
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

/** What became of the messages of all who ever published. */
function sumsOf({ lives }: Population, { loads }: FleetListener): MessageSums {
  const each = lives.map((life) => {
    const own = loads.gaps.filter((gap) => gap.publisherId === life.publisherId);
    return lossesOfLife(life, loads.of(life.publisherId), own, loads.statuses);
  });
  const total = (name: keyof LossesOfLife): number => each.reduce((sum, one) => sum + one[name], 0);
  const [published, lost] = [total('count'), total('lost')];
  return {
    published,
    heard: published - lost,
    lost,
    lostInGaps: total('reported') - total('reportedDown'),
    lostDetached: total('reportedDown'),
    reportedWrongly: total('reportedWrongly'),
    toldTwice: total('toldTwice'),
    outOfOrder: total('outOfOrder'),
  };
}
