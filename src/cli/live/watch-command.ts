import {
  EMPTY,
  type Observable,
  type OperatorFunction,
  type SchedulerLike,
  filter,
  ignoreElements,
  merge,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import type { FleetCounts } from '../../core/judgement/fleet-state.js';
import { loadMonitor } from '../../core/pipeline/load-monitor.js';
import type { InstanceChange } from '../../core/pipeline/monitor-sources.js';
import { plural } from '../../core/number-text.js';
import { pickThresholds } from '../../core/policy/load-thresholds.js';
import { policyNamed } from '../../core/policy/policies.js';
import type { WorkerId } from '../../core/worker-id.js';
import { type DynamoSourcesOptions, dynamoSources } from '../../dynamo/dynamo-sources.js';
import { type ScrapedSources, scrapedSources } from '../../dynamo/scraped-sources.js';
import type { LoadAccount } from '../../wire/loads/load-account.js';
import { type FleetOptions, fleetFromOptions } from '../fleet-options.js';
import { LiveReport, busyText } from '../live-report.js';
import { CliError, type Terminal, exitCode, untilSignal } from '../terminal.js';
import { type ThresholdOptions, thresholdsFromOptions, thresholdsText } from '../threshold-options.js';

/** The options of `tidemark watch`. */
export interface WatchOptions extends FleetOptions, ThresholdOptions {
  readonly policy: string;
  /** Whether the workers are polled for their load, as in Dynamo up to 0.6. */
  readonly scrape?: boolean;
}

const NO_THRESHOLDS = 'no threshold is set: set one, for example --active-decode-blocks-threshold 0.85';

/**
 * `tidemark watch`: prints which workers of a live fleet become busy or free and why, and the status of the sources.
 * Server failures do not end it; Ctrl-C, SIGTERM and `--duration` end it with a summary.
 */
export async function watchCommand(
  options: WatchOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const policy = policyNamed(options.policy);
  const thresholds = thresholdsFromOptions(options, policy, {});
  const fleet = fleetFromOptions(options);
  const sources = options.scrape === true ? scrapedSourcesOf(fleet.sources) : dynamoSources(fleet.sources);
  const count = { loads: 0, transitions: 0 };
  let account: LoadAccount | undefined;
  let counts: FleetCounts | undefined;
  let live: ReadonlySet<string> = new Set();
  let isScraping = false;
  let busy: readonly WorkerId[] = [];

  const loads$: Observable<ActiveLoad> = sources.loads;
  const loads = loads$.pipe(tap(() => (count.loads += 1)));
  const monitor = loadMonitor({ ...sources, loads }, { policy, scheduler, thresholds });
  const report = new LiveReport(terminal, options.json === true, monitor);
  const startedAt = monitor.now();
  const thresholdsLine = thresholds.isConfigured() ? thresholdsText(thresholds) : NO_THRESHOLDS;
  report.start(`watching ${fleet.text}, policy ${policy.name}; ${thresholdsLine}; press Ctrl-C to stop`, {
    watched: fleet.text,
    policy: policy.name,
    thresholds: pickThresholds(thresholds),
  });

  const outputs$ = merge(
    monitor.status$.pipe(
      tap((statuses) => {
        for (const status of statuses) if (status.state !== 'connecting') report.status(status);
        live = new Set(statuses.flatMap(({ source, state }) => (state === 'live' ? [source] : [])));
        isScraping = statuses.some(({ source, state }) => source === 'scrape' && state !== 'down');
      }),
    ),
    monitor.busy$.pipe(tap((set) => (busy = [...set]))),
    monitor.fleet$.pipe(tap((fleet) => (counts = fleet))),
    // A failing scrape is also a status, which is printed only once.
    monitor.problems$.pipe(
      filter(({ code }) => code !== 'scrape-failed'),
      tap((problem) => report.problem(problem)),
    ),
    monitor.transitions$.pipe(
      tap((transition) => {
        count.transitions += 1;
        report.transition(transition);
      }),
    ),
    ('accounting$' in sources ? sources.accounting$ : EMPTY).pipe(
      tap((accounting) => {
        account = accounting.account;
        report.gaps(accounting.gaps);
      }),
    ),
    sources.decodeInstances.pipe(reportWorkerChanges(report)),
    silenceHint(() => ({ ...count, workers: counts?.instances ?? 0, live, isScraping }), report, scheduler),
  );
  await new Promise<void>((resolve, reject) => {
    outputs$.pipe(takeUntil(end$)).subscribe({ error: reject, complete: resolve });
    monitor.connect();
  });
  monitor.stop();

  const { gaps = 0, missing = 0 } = account?.sequences ?? {};
  const { notAccountable = 0 } = account?.publishers ?? {};
  const failed = account?.failed ?? 0;
  const workers = counts?.instances ?? 0;
  const seconds = (monitor.now() - startedAt) / 1000;
  report.summary(
    `after ${seconds.toFixed(1)} s: ${count.loads} loads, ${failed} unreadable messages, ${workers} workers, ` +
      `${count.transitions} transitions, ${gaps} gaps (${missing} messages missing` +
      (notAccountable > 0 ? `, not counting ${plural(notAccountable, 'publisher')}` : '') +
      `); ${busyText(busy)}`,
    { seconds, ...count, failed, workers, gaps, missing, publishersNotAccountable: notAccountable, busy },
  );
  return exitCode.ok;
}

function scrapedSourcesOf({ endpoint, ...fleet }: DynamoSourcesOptions): ScrapedSources {
  if (endpoint !== undefined) return scrapedSources({ ...fleet, endpoint });
  throw new CliError('--scrape needs an endpoint to poll: add it, as in --endpoint backend.generate.');
}

const MAX_NAMES = 5;

/** Reports which workers join and leave: first all present workers in one line, then each change. */
export function reportWorkerChanges(report: LiveReport): OperatorFunction<InstanceChange, never> {
  let known: Set<WorkerId> | null = null;
  const reportChange = (joined: readonly WorkerId[], left: readonly WorkerId[], total: number): void => {
    const parts = [
      ...(joined.length > 0 ? [`${workerNames(joined)} joined`] : []),
      ...(left.length > 0 ? [`${workerNames(left)} left`] : []),
      `${plural(total, 'worker')} in total`,
    ];
    report.event('workers', parts.join('; '), { joined, left, total });
  };
  const update = (change: InstanceChange): void => {
    if ('workerId' in change) {
      const { workerId, present } = change;
      known ??= new Set();
      if (known.has(workerId) === present) return;
      if (present) known.add(workerId);
      else known.delete(workerId);
      reportChange(present ? [workerId] : [], present ? [] : [workerId], known.size);
      return;
    }
    const before = known;
    const next = (known = new Set(change));
    const joined = [...next].filter((id) => before?.has(id) !== true);
    const left = [...(before ?? [])].filter((id) => !next.has(id));
    if (before === null || joined.length + left.length > 0) reportChange(joined, left, next.size);
  };
  return (changes$) => changes$.pipe(tap(update), ignoreElements());
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
