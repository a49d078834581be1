import { EMPTY, interval, merge, Subscription, type Observable } from 'rxjs';
import type { FastifyBaseLogger } from 'fastify';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import type { EventLog } from './events/event-log.js';
import type { EventReaders } from './events/event-readers.js';
import { fleetNews, type News } from './events/fleet-news.js';
import { followFrontends } from './frontends/follow-frontends.js';
import type { FrontendReport } from './frontends/frontend-marks.js';
import type { MetricsPage } from './metrics-page.js';
import type { PoolViews } from './pools/pool-views.js';
import type { ServiceOptions } from './service-options.js';

/** What a run feeds. */
export interface RunParts extends Pick<ServiceOptions, 'pools' | 'frontends' | 'scheduler'> {
  readonly views: PoolViews;
  readonly log: EventLog;
  readonly readers: EventReaders;
  readonly page: MetricsPage;
  /** Where what the frontends said last is kept. */
  readonly reports: { last: readonly FrontendReport[] | null };
  readonly logger: FastifyBaseLogger;
}

const HEARTBEAT_MS = 15_000;
const SWEEP_MS = 500;

/** Watches, and hands on what changes to who reads it, until the subscription is ended. */
export function run(parts: RunParts): Subscription {
  const {
    pools,
    frontends,
    scheduler = monotonicScheduler,
    views,
    log,
    readers,
    page,
    reports,
    logger,
  } = parts;
  const subscription = new Subscription();
  const follow = <T>(source$: Observable<T>, next: (value: T) => void): void => {
    // Nothing of this errs by itself; if something does, the rest goes on.
    subscription.add(source$.subscribe({ next, error: (error: unknown) => logger.error(error) }));
  };
  if (frontends !== undefined) follow(frontends.reports$, (all) => (reports.last = all));
  const news$ = merge(
    fleetNews(pools, views),
    frontends === undefined ? EMPTY : followFrontends(frontends, pools),
  );
  // Everybody listens before the sources speak.
  follow(news$, (news) => {
    readers.write(log.append(news.type, news.data));
    tell(news, logger);
  });
  follow(page.counting(), () => undefined);
  follow(pools.sources.problems$, ({ code, text, count }) => logger.warn({ code, count }, text));
  follow(interval(SWEEP_MS, scheduler), () => readers.sweep());
  follow(interval(HEARTBEAT_MS, scheduler), () => readers.write(': still here\n\n'));
  subscription.add(pools.run());
  return subscription;
}

function tell({ type, data }: News, logger: FastifyBaseLogger): void {
  if (type === 'transition') logger.debug(data, type);
  else if (type === 'drift') logger.warn(data, 'the frontends do not agree on these marks');
  else if (type !== 'fleet') logger.info(data, type);
}
