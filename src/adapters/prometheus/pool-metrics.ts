import { type Observable, ignoreElements, merge, repeat, share, tap } from 'rxjs';
import type { LoadCheck } from '../../core/judgement/rank-checks.js';
import { decisiveCheck, decisiveRank } from '../../core/judgement/verdict.js';
import type { WorkerState } from '../../core/judgement/worker-state.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import { problemCodes } from '../../core/sources/problem.js';
import type { FleetStep, Transition } from '../../core/state/fleet-step.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { LoadAccount } from '../../wire/loads/load-account.js';
import { type Metric, legacyMetrics, tidemarkMetrics, workerGauges } from './metric-names.js';
import { MetricsOptionsError } from './metrics-errors.js';
import type { WorkerLatencies } from './worker-latencies.js';

/** The cause of a transition: the decisive check, or another reason. */
export type TransitionCause = LoadCheck | 'overload-mark' | 'overload-mark-ended' | 'left' | 'none';

/** The state after a transition. */
export type TransitionDirection = WorkerState;

const checks = {
  activeDecodeBlocks: 0,
  activePrefillTokens: 0,
  activePrefillTokensFrac: 0,
  kvUsedBlocks: 0,
  latch: 0,
  none: 0,
} as const satisfies Partial<Record<TransitionCause, 0>>;

/** The sums of the steps of a monitor. Every counter exists from the beginning with 0, so that its first increase is visible. */
export class MonitorCounts {
  readonly transitions: Readonly<Record<TransitionDirection, Map<TransitionCause, number>>> = {
    busy: new Map(Object.entries({ ...checks, 'overload-mark': 0 }) as [TransitionCause, number][]),
    free: new Map(
      Object.entries({ ...checks, 'overload-mark-ended': 0, left: 0 }) as [TransitionCause, number][],
    ),
    unknown: new Map([
      ['overload-mark-ended', 0],
      ['left', 0],
      ['none', 0],
    ]),
  };
  /** By code; an unknown code counts as `other`. */
  readonly problems = new Map<string, number>([...problemCodes, 'other'].map((code) => [code, 0]));

  /** Counts the transitions and problems of a step. */
  count({ transitions, problems }: FleetStep): void {
    for (const transition of transitions) {
      add(this.transitions[transition.to], causeOf(transition), 1);
    }
    for (const { code, count } of problems) {
      add(this.problems, this.problems.has(code) ? code : 'other', count);
    }
  }
}

/** The decisive check of the verdict, or its reason if no check decided. */
function causeOf({ to, busy, verdict }: Transition): TransitionCause {
  if (verdict.reason !== 'load') return verdict.reason;
  if (to === 'unknown') return 'none';
  const rank = decisiveRank(verdict.ranks, busy);
  return (rank && decisiveCheck(rank)?.check) ?? 'none';
}

function add<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** The statistics of one worker that are not in its loads. */
export interface LegacyWorkerStats {
  readonly workerId: WorkerId;
  readonly requestActiveSlots?: number;
  readonly requestTotalSlots?: number;
  /** From 0 to 1. */
  readonly gpuPrefixCacheHitRate?: number;
}

/** The labels of the metrics of Dynamo's old metrics component, and the values that are not in loads. */
export interface LegacyMetrics {
  readonly component: string;
  readonly endpoint: string;
  /** The latest statistics of workers, read for every page. Absent workers are ignored. */
  readonly stats?: () => Iterable<LegacyWorkerStats>;
  /** The sums of the hit-rate events so far. */
  readonly hitRate?: () => { readonly islBlocks: number; readonly overlapBlocks: number };
}

const MAX_LABELS = 8;
const MAX_VALUE_LENGTH = 256;

const allMetrics: readonly Metric[] = [workerGauges, tidemarkMetrics, legacyMetrics].flatMap(Object.values);
/** The labels of the metrics themselves, which a pool cannot use. */
const reservedLabels = new Set(allMetrics.flatMap(({ labelNames }) => labelNames));

/**
 * Validates the labels of a pool: at most 8, with names that Prometheus accepts and that no metric uses, and values of at
 * most 256 characters.
 *
 * @throws MetricsOptionsError with all problems
 */
function validatePoolLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  const problems = entries.flatMap(([name, value]) => problemsOf(name, value));
  if (entries.length > MAX_LABELS)
    problems.push(`a pool may have at most ${MAX_LABELS} labels, not ${entries.length}`);
  if (problems.length > 0) throw new MetricsOptionsError(problems);
  return { ...labels };
}

function problemsOf(name: string, value: unknown): string[] {
  const problems: string[] = [];
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name.startsWith('__'))
    problems.push(
      `${JSON.stringify(name)} is not a valid label name: use letters, digits and _, and do not begin with a digit or __`,
    );
  if (reservedLabels.has(name)) problems.push(`the label ${name} is reserved: use another name`);
  if (typeof value !== 'string') problems.push(`the label ${name} must be a string`);
  else if (value.length > MAX_VALUE_LENGTH)
    problems.push(
      `the label ${name} has ${value.length} characters, but at most ${MAX_VALUE_LENGTH} are allowed`,
    );
  return problems;
}

/** Options of {@link poolMetrics}. */
export interface PoolMetricsOptions {
  /** Labels of all metrics of tidemark, such as `pool` or `model`. They must differ between the pools of a page. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Reports of received and missing messages: `accounting$` of `natsLoads` or `dynamoSources`. */
  readonly accounting$?: Observable<{ readonly account: LoadAccount }>;
  /** The latencies that the request path observed. Absent: the page has no latency gauges. */
  readonly latencies?: WorkerLatencies;
  /** Adds the metrics of Dynamo's old metrics component. */
  readonly legacy?: LegacyMetrics;
}

/** The metrics of one pool. See {@link poolMetrics}. */
export interface PoolMetrics {
  readonly monitor: LoadMonitor;
  readonly labels: Readonly<Record<string, string>>;
  /** Counts while it is subscribed to, once for all subscriptions. It never emits or errors. */
  readonly counting$: Observable<never>;
  /** The counts so far; `undefined` before the first subscription to `counting$`. */
  readonly counts: MonitorCounts | undefined;
  /** The latest account of received messages. */
  readonly account: LoadAccount | undefined;
  readonly latencies: WorkerLatencies | undefined;
  readonly legacy: LegacyMetrics | undefined;
}

/**
 * The metrics of one pool, for {@link renderMetrics} or {@link registryMetrics}.
 *
 * 1. Gauges are read from the state of the monitor when a page is rendered, so a worker that left has no series.
 * 2. Counters (transitions, problems, missing messages) count while `counting$` is subscribed to, also when the monitor
 *    ends and is connected again. Before the first subscription a page has no counters. {@link registryMetrics}
 *    subscribes by itself.
 * 3. Ages are differences on the clock of the monitor. Dates are wall-clock times, computed when a page is rendered.
 *    {@link LoadMonitor.now} says what setting the wall clock changes.
 *
 * @throws MetricsOptionsError for invalid or reserved labels.
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
  const { accounting$, latencies, legacy } = options;
  const labels = validatePoolLabels(options.labels ?? {});
  let counts: MonitorCounts | undefined;
  let account: LoadAccount | undefined;
  // A stopped monitor may be connected again; until then, a subscription waits.
  const steps$ = monitor.steps$.pipe(
    tap({ subscribe: () => (counts ??= new MonitorCounts()), next: (step) => counts?.count(step) }),
    repeat(),
  );
  const accounts$ = accounting$?.pipe(tap((report) => (account = withCounters(report.account, account))));
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
    latencies,
    legacy,
  };
}

/** Counters must not decrease, although what was missing is taken back when a publisher becomes not accountable. */
function withCounters(account: LoadAccount, before: LoadAccount | undefined): LoadAccount {
  const { missing = 0, missingDetached = 0, gaps = 0 } = before?.sequences ?? {};
  const now = account.sequences;
  const sequences = {
    ...now,
    missing: Math.max(now.missing, missing),
    missingDetached: Math.max(now.missingDetached, missingDetached),
    gaps: Math.max(now.gaps, gaps),
  };
  return { ...account, sequences };
}
