import type { FastifyBaseLogger } from 'fastify';
import { EMPTY, filter, interval, map, merge, Subscription, type Observable } from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import type { Problem, ProblemCode } from '../core/sources/problem.js';
import { newStatuses, statusReports } from '../core/sources/status-reports.js';
import { forEachPool } from '../fleet/pools/pools.js';
import { followFrontends } from './frontends/frontend-drift.js';
import type { FrontendReport } from './frontends/frontend-thresholds.js';
import type { MetricsPage } from './http/metrics-page.js';
import { isoTime, poolLabel, type PoolSummaries } from './queries/pool-summary.js';
import type { ServiceOptions } from './service-options.js';
import type { EventLog, EventReaders } from './stream/event-readers.js';
import { changeJson } from './thresholds/threshold-json.js';
import type { ThresholdFile } from './thresholds/threshold-file.js';
import { serverSentEvents, type ServerSentEvent } from './stream/server-sent-events.js';

/** The parts of a running service. */
export interface RunParts extends Pick<ServiceOptions, 'pools' | 'frontends' | 'scheduler'> {
  readonly summaries: PoolSummaries;
  readonly log: EventLog;
  readonly readers: EventReaders;
  readonly page: MetricsPage;
  /** The latest reports of the frontends. */
  readonly reports: { last: readonly FrontendReport[] };
  /** The file of the thresholds that were set. */
  readonly file: ThresholdFile | null;
  readonly logger: FastifyBaseLogger;
}

const HEARTBEAT_MS = 15_000;
const SWEEP_MS = 500;

/** Watches the pools and passes changes to the readers, the log and the metrics. Unsubscribe to stop. */
export function run(parts: RunParts): Subscription {
  const {
    pools,
    frontends,
    scheduler = monotonicScheduler,
    summaries,
    log,
    readers,
    page,
    reports,
    file,
    logger,
  } = parts;
  const subscription = new Subscription();
  const follow = <T>(source$: Observable<T>, next: (value: T) => void): void => {
    // None of these streams should error. If one does, the others continue.
    subscription.add(source$.subscribe({ next, error: (error: unknown) => logger.error(error) }));
  };
  if (frontends !== undefined) follow(frontends.reports$, (all) => (reports.last = all));
  const events$ = merge(
    serverSentEvents(pools, summaries),
    frontends === undefined ? EMPTY : followFrontends(frontends, pools),
  );
  // All subscriptions are made before `pools.run()` connects the sources, so that no event is missed.
  follow(events$, (event) => {
    readers.write(log.append(event.type, event.data));
    logEvent(event, logger);
  });
  follow(pools.book.changes$, (change) => logger.info(changeJson(change), 'thresholds changed'));
  follow(page.countEvents(), () => undefined);
  const { sourceMonitor } = pools;
  follow(sourceMonitor.status$.pipe(newStatuses(), statusReports(scheduler)), (report) =>
    logger.info({ ...report, since: isoTime(sourceMonitor, report.since) }, 'source'),
  );
  follow(sourceMonitor.problems$, (problem) => logProblem(problem, logger));
  const poolProblems$ = forEachPool(pools, (pool) =>
    pool.monitor === sourceMonitor
      ? EMPTY
      : pool.monitor.problems$.pipe(map((problem) => ({ label: poolLabel(pool), problem }))),
  ).pipe(filter(({ problem: { code } }) => reportedOnce.has(code)));
  follow(poolProblems$, ({ label, problem: { code, text, count, workerId } }) =>
    logger.warn({ ...label, code, count, workerId }, text),
  );
  follow(interval(SWEEP_MS, scheduler), () => readers.cutSlowReaders());
  follow(interval(HEARTBEAT_MS, scheduler), () => readers.write(': still here\n\n'));
  subscription.add(pools.run());
  const report = (problem: Problem): void => {
    if (pools.report !== undefined) pools.report(problem);
    else logProblem(problem, logger);
  };
  subscription.add(file?.run(report, scheduler));
  return subscription;
}

/** The problems of a pool that are logged. The others may occur with every load, so they are only counted. */
const reportedOnce: ReadonlySet<ProblemCode> = new Set([
  'worker-not-heard',
  'worker-not-known',
  'no-capacity',
  'no-signal',
  'no-threshold',
  'signal-missing',
]);

function logProblem({ code, text, count }: Problem, logger: FastifyBaseLogger): void {
  logger.warn({ code, count }, text);
}

function logEvent({ type, data }: ServerSentEvent, logger: FastifyBaseLogger): void {
  if (type === 'transition') logger.debug(data, type);
  else if (type === 'drift') logger.warn(data, 'these thresholds differ between the frontends');
  // Statuses are logged separately, because not every attempt to connect is worth a line.
  else if (type !== 'fleet' && type !== 'source') logger.info(data, type);
}
