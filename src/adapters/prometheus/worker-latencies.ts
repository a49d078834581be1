import type { Role } from '../../core/events/fleet-event.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import type { WorkerId } from '../../core/worker-id.js';
import { MetricsOptionsError } from './metrics-errors.js';

/** The labels of the latency series of a worker. */
export interface LatencyLabels {
  readonly workerId: WorkerId;
  /** Absent: the request had no rank, and the label is `none`. */
  readonly dpRank?: number;
  readonly workerType: Role;
}

/** The last observations of one rank, or without a rank. NaN means that nothing has been observed. */
export interface ObservedLatency {
  readonly dpRank: string;
  readonly workerType: Role;
  timeToFirstToken: number;
  inputSequenceTokens: number;
  interTokenLatency: number;
}

/**
 * The three latency gauges for pages without a registry: the request path records its observations, and a page shows
 * those of present workers.
 *
 * 1. A worker that is absent at two consecutive pages is forgotten, so that an observation after its departure does not
 *    stay in memory. {@link seriesCleanup} removes its series at once.
 * 2. Use one object per pool.
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

  /** The number of workers with observations. */
  get size(): number {
    return this.workers.size;
  }

  /** Records the time to the first token of a response, and the number of prompt tokens. */
  firstToken(of: LatencyLabels, seconds: number, inputSequenceTokens: number): void {
    requireNonNegative({ seconds, inputSequenceTokens });
    const observed = this.observed(of);
    observed.timeToFirstToken = seconds;
    observed.inputSequenceTokens = inputSequenceTokens;
  }

  /** Records the time between two tokens. */
  laterToken(of: LatencyLabels, seconds: number): void {
    requireNonNegative({ seconds });
    this.observed(of).interTokenLatency = seconds;
  }

  /** Removes the series of a cleanup. Missing series are ignored. */
  remove({ workerId, dpRanks, workerType }: Cleanup): void {
    const ranks = this.workers.get(workerId);
    if (ranks === undefined) return;
    for (const rank of dpRanks) ranks.delete(keyOf(String(rank), workerType));
    if (ranks.size === 0) this.workers.delete(workerId);
  }

  /** The observations of a worker. */
  of(workerId: WorkerId): Iterable<ObservedLatency> {
    return this.workers.get(workerId)?.values() ?? [];
  }

  /** Forgets workers that are absent now and were at the previous call. Yields regularly for the event loop. */
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

function keyOf(rank: string, workerType: Role): string {
  return `${rank} ${workerType}`;
}

function requireNonNegative(values: Readonly<Record<string, number>>): void {
  const problems = Object.entries(values)
    .filter(([, value]) => !(Number.isFinite(value) && value >= 0))
    .map(([name, value]) => `${name} must be a finite number of at least 0, not ${String(value)}`);
  if (problems.length > 0) throw new MetricsOptionsError(problems);
}
