import { seededRandom } from '../../../src/simulator/simulated-worker.js';
import { startEtcd } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import type { SoakOptions } from '../options.js';
import { playFaults } from '../play-faults.js';
import { ProcessWatch } from '../process-watch.js';
import type { EtcdResult } from '../soak-result.js';
import { steppedClock } from '../stepped-clock.js';
import { etcdFaults } from './etcd-faults.js';
import { EtcdStage } from './etcd-stage.js';
import { EtcdListener } from './etcd-listener.js';
import { Numbers } from './numbers.js';

/** Runs faults against an etcd server for some time. */
export async function soakEtcd(
  { minutes, seed }: SoakOptions,
  progress: (text: string) => void,
): Promise<EtcdResult> {
  const watch = new ProcessWatch();
  const random = seededRandom(seed);
  const clock = steppedClock();
  const server = await startEtcd();
  const proxy = await startFaultProxy({ to: server.port });
  const listener = new EtcdListener(`http://127.0.0.1:${proxy.port}`, clock);
  await listener.until('live', 0);
  watch.start();
  const numbers = new Numbers(server.gateway, seededRandom(seed + 1));
  const stage = new EtcdStage(numbers, server, proxy, listener, clock, random);
  const played = await playFaults(stage, etcdFaults, minutes, (text) => {
    const { lost, compacted, replaced } = stage.lost();
    progress(
      `${text}; ${numbers.written.length} written, ${lost - compacted - replaced} not received yet, ` +
        `${compacted} compacted, ${replaced} replaced`,
    );
  });

  await numbers.stop();
  await proxy.heal();
  await stage.caughtUp();
  const finalWrong = await countWrongKeys(stage);
  const { lost, compacted, replaced } = stage.lost();
  listener.unsubscribe();
  const leaks = await stage.takeDown(watch);
  return {
    system: 'etcd',
    seed,
    ...played,
    written: numbers.written.length,
    finalWrong,
    lost,
    lostCompacted: compacted,
    lostReplaced: replaced,
    outOfOrder: listener.outOfOrder,
    duplicates: listener.duplicates,
    resyncs: listener.resyncs.length,
    leaks: [...leaks, ...listener.ended.map((text) => `the watch ended: ${text}`)],
    unhandled: watch.unhandled,
  };
}

/** The number of keys whose known value differs from the server, after some time to settle. */
async function countWrongKeys({ listener, server }: EtcdStage): Promise<number> {
  const wrong = async (): Promise<number> => {
    const actual = new Map(
      (await server.gateway.get('soak/')).map(({ key, modRevision, value }) => [
        key,
        `${modRevision} ${Buffer.from(value).toString('latin1')}`,
      ]),
    );
    const keys = new Set([...actual.keys(), ...listener.present.keys()]);
    return [...keys].filter((key) => actual.get(key) !== listener.present.get(key)).length;
  };
  await eventually(async () => (await wrong()) === 0, 40_000).catch(() => undefined);
  return wrong();
}
