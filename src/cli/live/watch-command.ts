import {
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  Subscription,
  ignoreElements,
  merge,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { plural } from '../../core/number-text.js';
import type { InstanceChange } from '../../core/pipeline/monitor-sources.js';
import { pickThresholds } from '../../core/policy/load-thresholds.js';
import { newStatuses } from '../../core/sources/status-reports.js';
import type { WorkerId } from '../../core/worker-id.js';
import { dynamoFleet } from '../../fleet/dynamo-fleet.js';
import { FleetPools } from '../../fleet/pools/fleet-pools.js';
import type { LoadAccount } from '../../wire/loads/load-account.js';
import { LiveReport, sourceText } from '../live-report.js';
import { thresholdsText } from '../settings/rule-settings.js';
import { type Terminal, exitCode, untilSignal } from '../terminal.js';
import type { FleetPlan } from './live-plans.js';
import { PoolReport } from './pool-report.js';

const NO_THRESHOLDS = 'no threshold is set: set one, for example --active-decode-blocks-threshold 0.85';

/**
 * `tidemark watch`: prints which workers of a live fleet become busy or free and why, and the status of the sources.
 * Server failures do not end it; Ctrl-C, SIGTERM and `--duration` end it with a summary.
 */
export async function watchCommand(
  { settings, rules, fleet }: FleetPlan<'watch'>,
  terminal: Terminal,
  end$ = untilSignal(settings.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const { policy, thresholds } = rules;
  const { text } = fleet;
  let loads = 0;
  let account: LoadAccount | undefined;
  let live: ReadonlySet<string> = new Set();
  const unreached = new Set<string>();
  const reached = new Set<string>();
  let isScraping = false;

  const watched = dynamoFleet({ ...fleet.options, form: 'columns', scheduler });
  // Columns, since the pools judge each batch during the call.
  const loads$ = watched.loads$.pipe(tap((load) => (loads += 'count' in load ? load.count : 1)));
  const pools = new FleetPools({ ...watched, loads$ }, { policy, thresholds, scheduler });
  const { sourceMonitor } = pools;
  const report = new LiveReport(terminal, settings.json, sourceMonitor);
  const poolReport = new PoolReport(pools, report);
  const workers = new WorkerReport(report);
  const startedAt = scheduler.now();
  const thresholdsLine = thresholds.isConfigured() ? thresholdsText(thresholds) : NO_THRESHOLDS;
  report.start(`watching ${text}, policy ${policy.name}; ${thresholdsLine}; press Ctrl-C to stop`, {
    watched: text,
    policy: policy.name,
    thresholds: pickThresholds(thresholds),
  });

  const outputs$ = merge(
    sourceMonitor.status$.pipe(
      tap((statuses) => {
        live = new Set(statuses.flatMap(({ source, state }) => (state === 'live' ? [source] : [])));
        for (const { source, state } of statuses) {
          if (state === 'connecting' || state === 'down') unreached.add(source);
          else reached.add(source);
        }
        isScraping = statuses.some(({ source, state }) => source === 'scrape' && state !== 'down');
      }),
    ),
    sourceMonitor.status$.pipe(newStatuses(), report.statuses(scheduler)),
    poolReport.run(),
    watched.accounting$.pipe(
      tap((accounting) => {
        account = accounting.account;
        report.gaps(accounting.gaps);
      }),
    ),
    watched.pool().instances$.pipe(workers.report()),
    silenceHint(() => ({ loads, workers: workers.total, live, isScraping }), report, scheduler),
  );
  const running = new Subscription();
  await new Promise<void>((resolve, reject) => {
    outputs$.pipe(takeUntil(end$)).subscribe({ error: reject, complete: resolve });
    running.add(pools.run());
  });
  const { busy, unusedThresholds, transitions, hasJudged, text: busyText } = poolReport;
  const neverReached = [...unreached].filter((source) => !reached.has(source));
  running.unsubscribe();

  const { gaps = 0, missing = 0 } = account?.sequences ?? {};
  const { notAccountable = 0 } = account?.publishers ?? {};
  const failed = account?.failed ?? 0;
  const { total } = workers;
  const seconds = (scheduler.now() - startedAt) / 1000;
  report.summary(
    `after ${seconds.toFixed(1)} s: ${loads} loads, ${failed} unreadable messages, ${total} workers, ` +
      `${transitions} transitions, ${gaps} gaps (${missing} messages missing` +
      (notAccountable > 0 ? `, not counting ${plural(notAccountable, 'publisher')}` : '') +
      `); ${neverReached.length > 0 ? neverReachedText(neverReached) : busyText}`,
    {
      seconds,
      loads,
      transitions,
      failed,
      workers: total,
      gaps,
      missing,
      publishersNotAccountable: notAccountable,
      busy,
      unusedThresholds,
      judged: hasJudged,
      neverReached,
    },
  );
  if (neverReached.length > 0) return exitCode.cannotRun;
  return hasJudged ? exitCode.ok : exitCode.unknown;
}

function neverReachedText(sources: readonly string[]): string {
  const names = sources.map(sourceText).join(' and ');
  return `${names} could not be reached, so it is unknown which workers are busy`;
}

const MAX_NAMES = 5;

/** Reports which workers join and leave: first all present workers in one line, then each change. */
export class WorkerReport {
  private known: Set<WorkerId> | null = null;

  constructor(private readonly to: Pick<LiveReport, 'event'>) {}

  /** The number of present workers. */
  get total(): number {
    return this.known?.size ?? 0;
  }

  report(): OperatorFunction<InstanceChange, never> {
    return (changes$) =>
      changes$.pipe(
        tap((change) => this.update(change)),
        ignoreElements(),
      );
  }

  private update(change: InstanceChange): void {
    const before = this.known;
    if ('workerId' in change) {
      const { workerId, present } = change;
      const known = (this.known ??= new Set());
      if (known.has(workerId) === present) return;
      if (present) known.add(workerId);
      else known.delete(workerId);
      this.print(present ? [workerId] : [], present ? [] : [workerId]);
      return;
    }
    const next = (this.known = new Set(change));
    const joined = [...next].filter((id) => before?.has(id) !== true);
    const left = [...(before ?? [])].filter((id) => !next.has(id));
    if (before === null || joined.length + left.length > 0) this.print(joined, left);
  }

  private print(joined: readonly WorkerId[], left: readonly WorkerId[]): void {
    const { total } = this;
    const parts = [
      ...(joined.length > 0 ? [`${workerNames(joined)} joined`] : []),
      ...(left.length > 0 ? [`${workerNames(left)} left`] : []),
      `${plural(total, 'worker')} in total`,
    ];
    this.to.event('workers', parts.join('; '), { joined, left, total });
  }
}

function workerNames(ids: readonly WorkerId[]): string {
  if (ids.length > MAX_NAMES) return `${ids.length} workers`;
  return `${ids.length === 1 ? 'worker' : 'workers'} ${ids.join(', ')}`;
}
const SILENCE_MS = 10_000;

/** What was received so far, and over which sources anything could be received. */
export interface HeardSoFar {
  readonly loads: number;
  readonly workers: number;
  readonly live: ReadonlySet<string>;
  /** Whether workers are polled for their load and the server is reachable. */
  readonly isScraping?: boolean;
}

/**
 * Prints what to check if nothing was received from a live source for ten seconds. Without this hint, a watch on the wrong
 * namespace looks healthy. A source that is down has already reported that itself.
 */
export function silenceHint(
  heard: () => HeardSoFar,
  report: LiveReport,
  scheduler: SchedulerLike,
): Observable<never> {
  const hint = (of: string, text: string): void => report.event('hint', text, { of, text });
  return timer(SILENCE_MS, scheduler).pipe(
    tap(() => {
      const { loads, workers, live, isScraping = false } = heard();
      if (workers === 0 && live.has('discovery')) {
        hint(
          'discovery',
          'no worker found in etcd after 10 s: check the namespace and the endpoint, and that the fleet registers in this etcd (DYN_DISCOVERY_BACKEND=etcd)',
        );
      }
      if (loads === 0 && isScraping) {
        hint(
          'scrape',
          'no load received from scrapes in 10 s: check the namespace and the component, and that the release is 0.6.0 or older (workers of later releases publish their load: watch them without --scrape); `tidemark stats` lists every service that answers',
        );
      }
      if (loads === 0 && live.has('loads')) {
        hint(
          'loads',
          'no load received over NATS in 10 s: check the namespace, that the fleet publishes to this NATS (DYN_EVENT_PLANE=nats), and that it is not idle, because workers publish only changes',
        );
      }
    }),
    ignoreElements(),
  );
}
