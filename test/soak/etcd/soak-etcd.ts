import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom, type Random } from '../../../src/simulator/random.js';
import { startEtcd } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { openHandles, type OpenHandles } from '../../support/open-handles.js';
import type { SoakOptions } from '../options.js';
import type { FaultFigures, SoakResult } from '../soak-result.js';
import { faults, isSlow } from './faults.js';
import { Listener } from './listener.js';
import { Numbers } from './numbers.js';
import { Stage } from './stage.js';
import { steppedClock } from './stepped-clock.js';

const now = performance.now.bind(performance);
const PROGRESS_MS = 10_000;
/** From here on there is time for every kind twice. */
const ALL_KINDS_MINUTES = 3;

/** Plays faults against an etcd for a time. */
export async function soakEtcd(
  { minutes, seed }: SoakOptions,
  progress: (text: string) => void,
): Promise<SoakResult> {
  const unhandled: string[] = [];
  const note = (error: unknown): number => unhandled.push(String(error));
  process.on('unhandledRejection', note).on('uncaughtException', note).on('warning', note);
  const before = openHandles();

  const random = seededRandom(seed);
  const clock = steppedClock();
  const server = await startEtcd();
  const proxy = await startFaultProxy({ to: server.port });
  const listener = new Listener(`http://127.0.0.1:${proxy.port}`, clock);
  await listener.until('live', 0);
  // Libraries add theirs when they are first used.
  const listenersBefore = listenerCounts();
  const numbers = new Numbers(server.gateway, seededRandom(seed + 1));
  const stage = new Stage(server, proxy, numbers, listener, clock, random);

  const figures = new Map(
    Object.keys(faults).map((kind) => [
      kind,
      { kind, count: 0, detectMs: [] as number[], healMs: [] as number[] },
    ]),
  );
  const begun = now();
  let said = begun;
  for (const kind of kinds(random)) {
    if (now() - begun >= minutes * 60_000) break;
    const figure = figures.get(kind);
    const fault = faults[kind];
    if (figure === undefined || fault === undefined) continue;
    stage.begin();
    await fault(stage);
    const { detectMs, healMs } = await stage.outcome();
    figure.count += 1;
    if (detectMs !== null) figure.detectMs.push(detectMs);
    if (healMs !== null) figure.healMs.push(healMs);
    if (now() - said > PROGRESS_MS) {
      said = now();
      const { lost, compacted, replaced } = stage.lost();
      progress(
        `${((said - begun) / 1_000).toFixed(0)} s: ${countOf(figures.values())} faults, last: ${kind}; ` +
          `${numbers.written.length} written, ${lost - compacted - replaced} not told yet, ${compacted} compacted, ${replaced} replaced`,
      );
    }
    await sleep(400 * random());
  }
  const seconds = (now() - begun) / 1_000;

  await numbers.stop();
  await proxy.heal();
  await stage.caughtUp();
  const finalWrong = await wrongFinals(stage);
  const { lost, compacted, replaced } = stage.lost();
  listener.unsubscribe();
  const leaks = await leaksOf(async () => {
    await eventually(() => proxy.connections === 0, 10_000);
    await proxy.stop();
    await server.stop();
    clock.restore();
  });
  if (!(await settlesTo(before))) leaks.push(`handles: ${JSON.stringify(openHandles())}`);
  if (listenerCounts() !== listenersBefore) leaks.push(`listeners of the process: ${listenerCounts()}`);
  process.off('unhandledRejection', note).off('uncaughtException', note).off('warning', note);
  return {
    system: 'etcd',
    seed,
    seconds,
    faults: [...figures.values()],
    written: numbers.written.length,
    finalWrong,
    lost,
    lostCompacted: compacted,
    lostReplaced: replaced,
    outOfOrder: listener.outOfOrder,
    toldTwice: listener.toldTwice,
    resyncs: listener.resyncs.length,
    leaks: [...leaks, ...listener.ended.map((text) => `the watch ended: ${text}`)],
    unhandled,
    tooRare: minutes < ALL_KINDS_MINUTES ? [] : tooRare(figures.values()),
  };
}

/** Every kind twice, shuffled; then any that is quick. */
function* kinds(random: Random): Generator<string> {
  const all = Object.keys(faults);
  for (let round = 0; round < 2; round += 1) {
    const left = [...all];
    while (left.length > 0) yield* left.splice(Math.floor(left.length * random()), 1);
  }
  const quick = all.filter((kind) => !isSlow(kind));
  for (;;) yield quick[Math.floor(quick.length * random())] ?? '';
}

function countOf(figures: Iterable<FaultFigures>): number {
  return [...figures].reduce((sum, { count }) => sum + count, 0);
}

function tooRare(figures: Iterable<FaultFigures>): string[] {
  return [...figures].filter(({ count }) => count < 2).map(({ kind }) => kind);
}

/** How many keys are known otherwise than they are, after some time to settle. */
async function wrongFinals({ listener, server }: Stage): Promise<number> {
  const wrong = async (): Promise<number> => {
    const there = new Map(
      (await server.gateway.get('soak/')).map(({ key, modRevision, value }) => [
        key,
        `${modRevision} ${Buffer.from(value).toString('latin1')}`,
      ]),
    );
    const keys = new Set([...there.keys(), ...listener.present.keys()]);
    return [...keys].filter((key) => there.get(key) !== listener.present.get(key)).length;
  };
  await eventually(async () => (await wrong()) === 0, 40_000).catch(() => undefined);
  return wrong();
}

async function leaksOf(close: () => Promise<void>): Promise<string[]> {
  try {
    await close();
    return [];
  } catch (error) {
    return [error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)];
  }
}

/** Whether no more is open than was, soon; who asks has no timer of its own meanwhile. */
async function settlesTo(before: OpenHandles): Promise<boolean> {
  for (let left = 100; left > 0; left -= 1) {
    const { sockets, listeners, timers } = openHandles();
    if (sockets <= before.sockets && listeners <= before.listeners && timers <= before.timers) return true;
    await sleep(100);
  }
  return false;
}

function listenerCounts(): string {
  return process
    .eventNames()
    .map((name) => `${String(name)} ${process.listenerCount(name)}`)
    .sort()
    .join(', ');
}
