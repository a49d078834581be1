import type { Cleanup, WorkerType } from '../../core/state/cleanup.js';
import type { WorkerId } from '../../core/worker-id.js';
import { MetricsOptionsError } from './metrics-errors.js';

/** The labels of one series of a worker. */
export interface LatencyLabels {
  readonly workerId: WorkerId;
  /** Absent: the request carried no rank, and the label is `none`. */
  readonly dpRank?: number;
  readonly workerType: WorkerType;
}

/** What was observed last of one rank, or without one; NaN is nothing yet. */
export interface ObservedLatency {
  readonly dpRank: string;
  readonly workerType: WorkerType;
  timeToFirstToken: number;
  inputSequenceTokens: number;
  interTokenLatency: number;
}

/**
 * The three latency gauges, for whoever renders pages without a registry: the request path tells what it observed, and
 * a page shows of it what belongs to workers that are there.
 *
 * 1. Who is not there at two pages in turn is forgotten, so an observation that comes after its worker left stays in no
 *    page and in no memory. {@link seriesCleanup} drops it at once.
 * 2. One belongs to one pool.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { WorkerLatencies } from 'tidemark/prometheus';
 *
 * const latencies = new WorkerLatencies();
 * const worker = { workerId: workerId('7'), dpRank: 0, workerType: 'decode' } as const;
 * latencies.firstToken(worker, 0.108, 28);
 * latencies.laterToken(worker, 0.027);
 * console.log(latencies.size);
 * latencies.remove({ workerId: workerId('7'), dpRanks: [0, 'none'], workerType: 'decode' });
 * console.log(latencies.size);
 * // Logs: 1
 * // Logs: 0
 * ```
 *
 * @see {@link poolMetrics}
 */
export class WorkerLatencies {
  private readonly workers = new Map<WorkerId, Map<string, ObservedLatency>>();
  private absent = new Set<WorkerId>();

  /** Of how many workers something is known. */
  get size(): number {
    return this.workers.size;
  }

  /** The first token of a response came after so many seconds, for a prompt of so many tokens. */
  firstToken(of: LatencyLabels, seconds: number, inputSequenceTokens: number): void {
    requireNonNegative({ seconds, inputSequenceTokens });
    const observed = this.observed(of);
    observed.timeToFirstToken = seconds;
    observed.inputSequenceTokens = inputSequenceTokens;
  }

  /** A later token came so many seconds after the one before. */
  laterToken(of: LatencyLabels, seconds: number): void {
    requireNonNegative({ seconds });
    this.observed(of).interTokenLatency = seconds;
  }

  /** Drops what a cleanup names. Dropping what is not there is nothing. */
  remove({ workerId, dpRanks, workerType }: Cleanup): void {
    const ranks = this.workers.get(workerId);
    if (ranks === undefined) return;
    for (const rank of dpRanks) ranks.delete(keyOf(String(rank), workerType));
    if (ranks.size === 0) this.workers.delete(workerId);
  }

  /** What was observed of a worker. */
  of(workerId: WorkerId): Iterable<ObservedLatency> {
    return this.workers.get(workerId)?.values() ?? [];
  }

  /** Forgets who was not there at the page before either. Yields while it does, for the event loop's sake. */
  *forgetAbsent(present: ReadonlySet<WorkerId>): Generator<void> {
    const absent = new Set<WorkerId>();
    for (const workerId of this.workers.keys()) {
      yield;
      if (present.has(workerId)) continue;
      if (this.absent.has(workerId)) this.workers.delete(workerId);
      else absent.add(workerId);
    }
    this.absent = absent;
  }

  private observed({ workerId, dpRank, workerType }: LatencyLabels): ObservedLatency {
    let ranks = this.workers.get(workerId);
    if (ranks === undefined) this.workers.set(workerId, (ranks = new Map<string, ObservedLatency>()));
    const rank = dpRank === undefined ? 'none' : String(dpRank);
    const key = keyOf(rank, workerType);
    let observed = ranks.get(key);
    if (observed === undefined) {
      observed = {
        dpRank: rank,
        workerType,
        timeToFirstToken: NaN,
        inputSequenceTokens: NaN,
        interTokenLatency: NaN,
      };
      ranks.set(key, observed);
    }
    return observed;
  }
}

function keyOf(rank: string, workerType: WorkerType): string {
  return `${rank} ${workerType}`;
}

function requireNonNegative(values: Readonly<Record<string, number>>): void {
  const problems = Object.entries(values)
    .filter(([, value]) => !(Number.isFinite(value) && value >= 0))
    .map(([name, value]) => `${name} must be a number of 0 and above, not ${String(value)}`);
  if (problems.length > 0) throw new MetricsOptionsError(problems);
}
