import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/simulator/simulated-worker.js';
import { isSlow, type Fault } from './network-faults.js';
import type { FaultFigures } from './soak-result.js';
import type { Stage } from './stage.js';

const now = performance.now.bind(performance);
const PROGRESS_MS = 10_000;
/** From here on there is time for every kind as often as it is to occur. */
const ALL_KINDS_MINUTES = 3;

/** What was played. */
export interface Played {
  readonly seconds: number;
  readonly faults: readonly FaultFigures[];
  /** Kinds that occurred less often than they ought to have. */
  readonly tooRare: readonly string[];
}

/** Plays one fault after another for a time, each until the listener is live again; every kind at least so often. */
export async function play<On extends Stage>(
  stage: On,
  faults: Readonly<Record<string, Fault<On>>>,
  minutes: number,
  progress: (text: string) => void,
  least = 2,
): Promise<Played> {
  const { random } = stage;
  const figures = Object.keys(faults).map((kind) => ({
    kind,
    count: 0,
    detectMs: [] as number[],
    healMs: [] as number[],
  }));
  const begun = now();
  let said = begun;
  for (const kind of kinds(Object.keys(faults), least, random)) {
    if (now() - begun >= minutes * 60_000) break;
    const figure = figures.find((one) => one.kind === kind);
    const fault = faults[kind];
    if (figure === undefined || fault === undefined) continue;
    await stage.steady();
    stage.begin();
    await fault(stage);
    const { detectMs, healMs } = await stage.outcome();
    figure.count += 1;
    if (detectMs !== null) figure.detectMs.push(detectMs);
    if (healMs !== null) figure.healMs.push(healMs);
    if (now() - said > PROGRESS_MS) {
      said = now();
      const count = figures.reduce((sum, one) => sum + one.count, 0);
      progress(`${((said - begun) / 1_000).toFixed(0)} s: ${count} faults, last: ${kind}`);
    }
    await sleep(400 * random());
  }
  const rare = figures.filter(({ count }) => count < least).map(({ kind }) => kind);
  return {
    seconds: (now() - begun) / 1_000,
    faults: figures,
    tooRare: minutes < ALL_KINDS_MINUTES ? [] : rare,
  };
}

/** Every kind so many times, shuffled; then any that is quick. */
function* kinds(all: readonly string[], least: number, random: Random): Generator<string> {
  for (let round = 0; round < least; round += 1) {
    const left = [...all];
    while (left.length > 0) yield* left.splice(Math.floor(left.length * random()), 1);
  }
  const quick = all.filter((kind) => !isSlow(kind));
  for (;;) yield quick[Math.floor(quick.length * random())] ?? '';
}
