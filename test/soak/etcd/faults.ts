import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { stopOurselves } from './stop-ourselves.js';
import type { Stage } from './stage.js';
import { Listener } from './listener.js';
import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';

/** One fault: it begins, heals, and says when it did. */
export type Fault = (stage: Stage) => Promise<void>;

const HOUR_MS = 3_600_000;
/** How long a fault lasts that ends by itself. */
const some = ({ random }: Stage): Promise<void> => sleep(200 + 800 * random());

const silent =
  (directions: 'both' | 'toServer' | 'toClient'): Fault =>
  async (stage) => {
    stage.begin();
    stage.proxy.halfOpen(directions);
    await stage.down();
    stage.heal();
    await stage.proxy.heal();
  };

const cut =
  (how: 'cut' | 'finish'): Fault =>
  async (stage) => {
    stage.begin();
    stage.proxy[how]();
    await stage.down();
  };

/** The compaction ends at the last number; what was written since the listener was cut off may be gone. */
async function compactAll(stage: Stage, above: number): Promise<void> {
  const last = stage.numbers.written.at(-1);
  if (last === undefined) return;
  await stage.server.gateway.compact(last.revision.toString());
  stage.excuse('compacted', above, last.number);
}

const leases =
  (compacted: boolean): Fault =>
  async (stage) => {
    const { gateway } = stage.server;
    const granted = await Promise.all([1, 2, 3, 4, 5].map(() => gateway.grant(1)));
    const keys = granted.map((lease) => `soak/leases/${lease}`);
    for (const [at, key] of keys.entries()) await gateway.put(key, 'x', granted[at]);
    const above = await stage.caughtUp();
    await stage.shut();
    await eventually(async () => (await gateway.get('soak/leases/')).length === 0);
    if (compacted) await compactAll(stage, above);
    await stage.open();
    await eventually(() => keys.every((key) => !stage.listener.present.has(key)), 10_000).catch(
      () => undefined,
    );
  };

/** Those that take long, for they wait until somebody's patience is at an end. */
export function isSlow(kind: string): boolean {
  return /^half-open|stopped$|held$/.test(kind);
}

/** Every fault, by its name. */
export const faults: Readonly<Record<string, Fault>> = {
  'connections reset': cut('cut'),
  'connections ended': cut('finish'),
  'a second cut right after it is live': async (stage) => {
    await stage.shut();
    await some(stage);
    const mark = stage.listener.statuses.length;
    await stage.open();
    await stage.listener.until('live', mark);
    stage.begin();
    stage.proxy.cut();
    await stage.down();
  },
  'ten cuts, 0 to 400 ms apart': async (stage) => {
    stage.begin();
    for (let left = 10; left > 0; left -= 1) {
      stage.proxy.cut();
      await sleep(400 * stage.random());
    }
    stage.heal();
  },
  'connections refused': async (stage) => {
    await stage.shut();
    await some(stage);
    await stage.open();
  },
  'server killed and started again': async (stage) => {
    stage.begin();
    await stage.server.kill();
    await stage.down();
    await some(stage);
    await stage.server.restart();
    stage.heal();
  },
  'server absent when a watch begins': async (stage) => {
    await stage.shut();
    const late = new Listener(stage.hosts, monotonicScheduler);
    await late.until('down', 0);
    await some(stage);
    await stage.open();
    await late.until('live', 0);
    late.unsubscribe();
  },
  'half-open, both directions': silent('both'),
  'half-open, to the server': silent('toServer'),
  'half-open, to the client': silent('toClient'),
  'server stopped': async (stage) => {
    stage.begin();
    await stage.server.pause();
    await stage.down();
    stage.heal();
    stage.server.resume();
  },
  'connections accepted and held': async (stage) => {
    stage.begin();
    stage.proxy.hold(true);
    stage.proxy.cut();
    await sleep(3_500 + 1_000 * stage.random());
    stage.heal();
    await stage.proxy.heal();
  },
  'compaction while down': async (stage) => {
    const above = await stage.caughtUp();
    await stage.shut();
    await some(stage);
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
    await some(stage);
    const mark = stage.listener.statuses.length;
    await stage.open();
    await stage.listener.until('live', mark);
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
  'clock an hour back in an outage, then three on': async (stage) => {
    await stage.shut();
    stage.clock.stepMs -= HOUR_MS;
    await some(stage);
    const mark = stage.listener.statuses.length;
    await stage.open();
    await stage.listener.until('live', mark);
    stage.clock.stepMs += 3 * HOUR_MS;
  },
  'our own process stopped': async (stage) => {
    stage.begin();
    await stopOurselves(1 + 3 * stage.random());
    stage.heal();
  },
};
