import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './stage.js';
import { suspendProcess } from './suspend-process.js';

/** Runs one fault: starts it, ends it, and records both times. */
export type Fault<On extends Stage = Stage> = (stage: On) => Promise<void>;

const HOUR_MS = 3_600_000;

/** Waits for the duration of a fault that has no natural end. */
export const someTime = ({ random }: Stage): Promise<void> => sleep(200 + 800 * random());

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

/** Whether a kind of fault is slow, because it lasts until a timeout. */
export function isSlow(kind: string): boolean {
  return /^half-open|stopped$|held$|^bytes/.test(kind);
}

/** Faults of any network and server, by name. */
export const networkFaults: Readonly<Record<string, Fault>> = {
  'connections reset': cut('cut'),
  'connections ended': cut('finish'),
  'a second cut right after it is live': async (stage) => {
    await stage.shut();
    await someTime(stage);
    const before = stage.listener.statuses.length;
    await stage.open();
    await stage.listener.until('live', before);
    stage.begin();
    stage.proxy.cut();
    await stage.down();
  },
  'ten cuts, 0 to 400 ms apart': async (stage) => {
    stage.begin();
    for (let count = 0; count < 10; count += 1) {
      stage.proxy.cut();
      await sleep(400 * stage.random());
    }
    // The last disconnect is detected within this time.
    await sleep(50);
    stage.heal();
  },
  'connections refused': async (stage) => {
    await stage.shut();
    await someTime(stage);
    await stage.open();
  },
  'server killed and started again': async (stage) => {
    stage.begin();
    await stage.server.kill();
    await stage.down();
    await someTime(stage);
    await stage.server.restart();
    stage.heal();
  },
  'server absent when a watch begins': async (stage) => {
    await stage.shut();
    const late = stage.listen();
    await late.until('down', 0);
    await someTime(stage);
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
  'clock an hour back in an outage, then three on': async (stage) => {
    await stage.shut();
    stage.clock.stepMs -= HOUR_MS;
    await someTime(stage);
    const before = stage.listener.statuses.length;
    await stage.open();
    await stage.listener.until('live', before);
    stage.clock.stepMs += 3 * HOUR_MS;
  },
  'client process stopped': async (stage) => {
    stage.begin();
    await suspendProcess(1 + 3 * stage.random());
    stage.heal();
  },
};
