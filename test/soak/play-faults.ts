import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/simulator/simulated-worker.js';
import { isSlow, type Fault } from './network-faults.js';
import type { FaultFigures } from './soak-result.js';
import type { Stage } from './stage.js';

const now = performance.now.bind(performance);
const PROGRESS_MS = 10_000;
/** From this duration on, there is enough time for every kind of fault. */
const ALL_KINDS_MINUTES = 3;

/** The faults that were run. */
export interface PlayedFaults {
  readonly seconds: number;
  readonly faults: readonly FaultFigures[];
  /** Kinds that occurred less often than required. */
  readonly tooRare: readonly string[];
}

/** Runs one fault after another, each until the listener is live again; every kind at least `minCount` times. */
export async function playFaults<On extends Stage>(
  stage: On,
  faults: Readonly<Record<string, Fault<On>>>,
  minutes: number,
  progress: (text: string) => void,
  minCount = 2,
): Promise<PlayedFaults> {
  const { random } = stage;
  const figures = Object.keys(faults).map((kind) => ({
    kind,
    count: 0,
    detectMs: [] as number[],
    healMs: [] as number[],
  }));
  const startedAt = now();
  let reportedAt = startedAt;
  for (const kind of kinds(Object.keys(faults), minCount, random)) {
    if (now() - startedAt >= minutes * 60_000) break;
    const figure = figures.find((candidate) => candidate.kind === kind);
    const fault = faults[kind];
    if (figure === undefined || fault === undefined) continue;
    await stage.steady();
    stage.begin();
    await fault(stage);
    const { detectMs, healMs } = await stage.outcome();
    figure.count += 1;
    if (detectMs !== null) figure.detectMs.push(detectMs);
    if (healMs !== null) figure.healMs.push(healMs);
    if (now() - reportedAt > PROGRESS_MS) {
      reportedAt = now();
      const count = figures.reduce((sum, { count }) => sum + count, 0);
      progress(`${((reportedAt - startedAt) / 1_000).toFixed(0)} s: ${count} faults, last: ${kind}`);
    }
    await sleep(400 * random());
  }
  const rare = figures.filter(({ count }) => count < minCount).map(({ kind }) => kind);
  return {
    seconds: (now() - startedAt) / 1_000,
    faults: figures,
    tooRare: minutes < ALL_KINDS_MINUTES ? [] : rare,
  };
}

/** Every kind `minCount` times in random order, then random quick kinds. */
function* kinds(all: readonly string[], minCount: number, random: Random): Generator<string> {
  for (let round = 0; round < minCount; round += 1) {
    const remaining = [...all];
    while (remaining.length > 0) yield* remaining.splice(Math.floor(remaining.length * random()), 1);
  }
  const quick = all.filter((kind) => !isSlow(kind));
  for (;;) yield quick[Math.floor(quick.length * random())] ?? '';
}
