import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { networkFaults, someTime, type Fault } from '../network-faults.js';
import type { EtcdStage } from './etcd-stage.js';

/** Compacts up to the last number. Values written since the listener was disconnected may be lost. */
async function compactAll(stage: EtcdStage, above: number): Promise<void> {
  const last = stage.numbers.written.at(-1);
  if (last === undefined) return;
  await stage.server.gateway.compact(last.revision.toString());
  stage.excuse('compacted', above, last.number);
}

const leases =
  (compacted: boolean): Fault<EtcdStage> =>
  async (stage) => {
    const { gateway } = stage.server;
    const granted = await Promise.all([1, 2, 3, 4, 5].map(() => gateway.grant(1)));
    const keys = granted.map((lease) => `soak/leases/${lease}`);
    for (const [index, key] of keys.entries()) await gateway.put(key, 'x', granted[index]);
    const above = await stage.caughtUp();
    await stage.shut();
    await eventually(async () => (await gateway.get('soak/leases/')).length === 0);
    if (compacted) await compactAll(stage, above);
    await stage.open();
    await eventually(() => keys.every((key) => !stage.listener.present.has(key)), 10_000).catch(
      () => undefined,
    );
  };

/** All faults by name. */
export const etcdFaults: Readonly<Record<string, Fault<EtcdStage>>> = {
  ...networkFaults,
  'compaction while down': async (stage) => {
    const above = await stage.caughtUp();
    await stage.shut();
    await someTime(stage);
    await compactAll(stage, above);
    await sleep(300 * stage.random());
    await stage.open();
  },
  'compaction while quiet, then a cut': async (stage) => {
    await stage.numbers.pause();
    await stage.caughtUp();
    const { gateway } = stage.server;
    for (let at = 0; at < 5; at += 1) await gateway.put('elsewhere', 'x');
    await gateway.compact(await gateway.put('elsewhere', 'y'));
    stage.begin();
    stage.proxy.cut();
    await stage.down();
    stage.numbers.resume();
  },
  'deletion at the revision of a compaction': async (stage) => {
    const { gateway } = stage.server;
    await stage.numbers.pause();
    await gateway.put('soak/goes', 'x');
    await stage.caughtUp();
    await eventually(() => stage.listener.present.has('soak/goes'));
    await stage.shut();
    await gateway.compact(await gateway.delete('soak/goes'));
    stage.numbers.resume();
    await stage.open();
    await eventually(() => !stage.listener.present.has('soak/goes'), 20_000).catch(() => undefined);
  },
  'leases run out while down': leases(false),
  'leases run out while down, and a compaction': leases(true),
  'store replaced': async (stage) => {
    await stage.numbers.pause();
    const above = await stage.caughtUp();
    await stage.shut();
    await stage.server.wipe();
    stage.numbers.resume();
    await someTime(stage);
    const before = stage.listener.statuses.length;
    await stage.open();
    await stage.listener.until('live', before);
    stage.excuse('replaced', above, stage.numbers.written.at(-1)?.number ?? above);
  },
  'replay of 9 MB, then deletion of all that': async (stage) => {
    const { gateway } = stage.server;
    await stage.shut();
    for (let at = 0; at < 9; at += 1) await gateway.put(`soak/large/${at}`, Buffer.alloc(1_000_000, 120));
    await stage.open();
    await eventually(() => stage.listener.present.has('soak/large/8'), 20_000).catch(() => undefined);
    await gateway.deletePrefix('soak/large/');
  },
};
