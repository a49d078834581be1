import { type Observable, type SchedulerLike, ignoreElements, merge, repeat, share, tap } from 'rxjs';
import type { LoadCheck } from '../../core/judgement/rank-checks.js';
import { decisiveCheck, decisiveRank } from '../../core/judgement/verdict.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import { problemCodes } from '../../core/sources/problem.js';
import type { FleetStep, Transition } from '../../core/state/fleet-step.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { LoadAccount } from '../../wire/loads/load-account.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { type Metric, legacyMetrics, tidemarkMetrics, workerGauges } from './metric-names.js';
import { MetricsOptionsError } from './metrics-errors.js';
import type { WorkerLatencies } from './worker-latencies.js';

/** What told that a worker crossed: a check, or what else it was. */
export type TransitionCause = LoadCheck | 'overload-mark' | 'overload-mark-ended' | 'left' | 'none';

export type TransitionDirection = 'busy' | 'free';

const checks = {
  activeDecodeBlocks: 0,
  activePrefillTokens: 0,
  activePrefillTokensFrac: 0,
  kvUsedBlocks: 0,
  latch: 0,
  none: 0,
} as const satisfies Partial<Record<TransitionCause, 0>>;

/** What the steps of a monitor amount to. Every count is there from the beginning, at 0, so that its first rise shows. */
export class MonitorCounts {
  readonly transitions: Readonly<Record<TransitionDirection, Map<TransitionCause, number>>> = {
    busy: new Map(Object.entries({ ...checks, 'overload-mark': 0 }) as [TransitionCause, number][]),
    free: new Map(Object.entries({ ...checks, 'overload-mark-ended': 0, left: 0 }) as [TransitionCause, number][]),
  };
  /** By code; a code that is not ours counts as `other`. */
  readonly problems = new Map<string, number>([...problemCodes, 'other'].map((code) => [code, 0]));

  /** Counts what one step changed. */
  count({ transitions, problems }: FleetStep): void {
    for (const transition of transitions) {
      add(this.transitions[transition.busy ? 'busy' : 'free'], causeOf(transition), 1);
    }
    for (const { code, count } of problems) {
      add(this.problems, this.problems.has(code) ? code : 'other', count);
    }
  }
}

/** The label value of a reason that the verdict names differently. */
const REASONS: Readonly<Partial<Record<string, TransitionCause>>> = {
  mark: 'overload-mark',
  unmarked: 'overload-mark-ended',
};

/** The decisive check of the verdict, or its reason if no check decided. */
function causeOf({ busy, verdict }: Transition): TransitionCause {
  if (verdict.reason !== 'load') return REASONS[verdict.reason] ?? (verdict.reason as TransitionCause);
  const rank = decisiveRank(verdict.ranks, busy);
  return (rank && decisiveCheck(rank)?.check) ?? 'none';
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** What the statistics of one worker say beyond its loads. */
export interface LegacyWorkerStats {
  readonly workerId: WorkerId;
  readonly requestActiveSlots?: number;
  readonly requestTotalSlots?: number;
  /** From 0 to 1. */
  readonly gpuPrefixCacheHitRate?: number;
}

/** How the metrics of Dynamo's old metrics component are made: its two labels, and what no load says. */
export interface LegacyMetrics {
  readonly component: string;
  readonly endpoint: string;
  /** The newest statistics of the workers, asked for at every page. Those of workers that are not there are left out. */
  readonly stats?: () => Iterable<LegacyWorkerStats>;
  /** What the hit-rate events amount to so far. */
  readonly hitRate?: () => { readonly islBlocks: number; readonly overlapBlocks: number };
}

const MAX_LABELS = 8;
const MAX_VALUE_LENGTH = 256;

/** Labels that our metrics give a meaning of their own. */
const allMetrics: readonly Metric[] = [workerGauges, tidemarkMetrics, legacyMetrics].flatMap(Object.values);
const reservedLabels = new Set(allMetrics.flatMap(({ labelNames }) => labelNames));

/**
 * The labels of a pool, checked: at most 8, of names that Prometheus takes and no metric of ours has, with values of at
 * most 256 characters.
 *
 * @throws MetricsOptionsError that tells all problems
 */
export function validatePoolLabels(
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  const problems = entries.flatMap(([name, value]) => problemsOf(name, value));
  if (entries.length > MAX_LABELS)
    problems.push(`a pool has at most ${MAX_LABELS} labels, not ${entries.length}`);
  if (problems.length > 0) throw new MetricsOptionsError(problems);
  return { ...labels };
}

function problemsOf(name: string, value: unknown): string[] {
  const problems: string[] = [];
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name.startsWith('__'))
    problems.push(
      `${JSON.stringify(name)} is no label name: letters, digits and _, no digit first, not __ first`,
    );
  if (reservedLabels.has(name))
    problems.push(`the label ${name} has a meaning of its own; give the pool's another name`);
  if (typeof value !== 'string') problems.push(`the label ${name} must be a text`);
  else if (value.length > MAX_VALUE_LENGTH)
    problems.push(
      `the label ${name} is ${value.length} characters long, and ${MAX_VALUE_LENGTH} are the most`,
    );
  return problems;
}

/** What besides its monitor a pool's metrics are made of. */
export interface PoolMetricsOptions {
  /** Labels of all metrics that are ours, such as `pool` or `model`. Pools on one page must differ in them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What came over NATS and what did not: `accounting$` of `natsLoads` or `dynamoSources`. */
  readonly accounting$?: Observable<{ readonly account: LoadAccount }>;
  /** The latencies that the request path observed. Absent: their three gauges are somebody else's. */
  readonly latencies?: WorkerLatencies;
  /** The clock that drives the monitor; that of `tidemark/clock` when absent. */
  readonly scheduler?: SchedulerLike;
  /** Makes the metrics of Dynamo's old metrics component too. */
  readonly legacy?: LegacyMetrics;
}

/** The metrics of one pool. See {@link poolMetrics}. */
export interface PoolMetrics {
  readonly monitor: LoadMonitor;
  readonly labels: Readonly<Record<string, string>>;
  /** Counts as long as it is subscribed to; it never emits and never errors. Several subscriptions count once. */
  readonly counting$: Observable<never>;
  /** What was counted so far; `undefined` before the first subscription to `counting$`. */
  readonly counts: MonitorCounts | undefined;
  /** The account that came last. */
  readonly account: LoadAccount | undefined;
  readonly scheduler: SchedulerLike;
  readonly latencies: WorkerLatencies | undefined;
  readonly legacy: LegacyMetrics | undefined;
}

/**
 * The metrics of one pool, to be rendered by {@link renderMetrics} or collected by {@link registryMetrics}.
 *
 * 1. Gauges are read from the monitor's state when the page is made, so a worker that left has no series.
 * 2. What only grows (transitions, problems, messages that did not come) has to be counted as it comes: while
 *    `counting$` is subscribed to, over the ends and new beginnings of the monitor. Before the first subscription the
 *    page has no such series. {@link registryMetrics} subscribes by itself.
 *
 * @throws MetricsOptionsError for labels that Prometheus would refuse or that our metrics use.
 *
 * @example
 * ```ts
 * import { concat, NEVER, of } from 'rxjs';
 * import { loadMonitor, policies, workerId } from 'tidemark';
 * import { poolMetrics, renderMetrics } from 'tidemark/prometheus';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * const monitor = loadMonitor({ loads: concat(of(load), NEVER) }, { policy: policies.default });
 * const metrics = poolMetrics(monitor, { labels: { pool: 'llama' } });
 * metrics.counting$.subscribe();
 * monitor.connect();
 * let page = '';
 * for await (const chunk of renderMetrics([metrics])) page += Buffer.from(chunk).toString();
 * console.log(page.split('\n').find((line) => line.startsWith('dynamo_')));
 * // Logs: dynamo_frontend_worker_active_decode_blocks{dp_rank="0",worker_id="7",worker_type="decode"} 90
 * ```
 *
 * @see {@link seriesCleanup}
 */
export function poolMetrics(monitor: LoadMonitor, options: PoolMetricsOptions = {}): PoolMetrics {
  const { accounting$, latencies, legacy, scheduler = monotonicScheduler } = options;
  const labels = validatePoolLabels(options.labels ?? {});
  let counts: MonitorCounts | undefined;
  let account: LoadAccount | undefined;
  // A monitor that was stopped may be connected again: whoever subscribes to it meanwhile waits.
  const steps$ = monitor.steps$.pipe(
    tap({ subscribe: () => (counts ??= new MonitorCounts()), next: (step) => counts?.count(step) }),
    repeat(),
  );
  const accounts$ = accounting$?.pipe(tap((report) => (account = report.account)));
  return {
    monitor,
    labels,
    counting$: (accounts$ === undefined ? steps$ : merge(steps$, accounts$)).pipe(ignoreElements(), share()),
    get counts() {
      return counts;
    },
    get account() {
      return account;
    },
    scheduler,
    latencies,
    legacy,
  };
}
