import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import { wallTime } from '../adapters/clock/wall-time.js';
import { givenOptions } from '../core/option-problems.js';
import { AdminGuard } from './http/admin-guard.js';
import { MetricsPage } from './http/metrics-page.js';
import type { ServiceContext } from './http/route.js';
import { createServiceApp } from './http/service-app.js';
import { packageVersion } from './package-version.js';
import { summarizeModel, wholePool } from './queries/models.js';
import { isoTime, PoolSummaries } from './queries/pool-summary.js';
import { ServiceError } from './service-error.js';
import { requireServiceOptions, serviceDefaults, type ServiceOptions } from './service-options.js';
import { run, type RunParts } from './service-run.js';
import { ThresholdFile } from './thresholds/threshold-file.js';
import { EventLog, EventReaders } from './stream/event-readers.js';

/** A running service. */
export interface Service {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`. */
  readonly url: string;
  /** Reports the service as not ready, and accepts no new event streams. All other requests are still answered. */
  drain(): void;
  /** Ends event streams, answers running requests for at most 5 s, and stops listening and watching. Idempotent. */
  stop(): Promise<void>;
}

const MAX_STOP_MS = 5000;

/**
 * Starts an HTTP service that tells which workers are busy and why.
 *
 * 1. It listens on 127.0.0.1 by default. If other machines can reach it, requests that change state need the admin token.
 * 2. `GET /` lists the routes, and `/openapi.json` describes them. `/busy_threshold` answers like Dynamo's frontend. All
 *    other errors are JSON with a `code` and a `message`.
 * 3. It watches the pools from its start until it is stopped. Failing sources and clients do not end it.
 * 4. It needs the package `fastify`: `npm install fastify@5`.
 *
 * @throws ServiceError: `service-options`, `port-in-use` or `cannot-listen`; PackageError without Fastify. Nothing keeps running in that case.
 *
 * @example
 * ```ts
 * import { NEVER, of } from 'rxjs';
 * import { loadMonitor, policies, workerId } from 'tidemark';
 * import { givenPool, startService } from 'tidemark/service';
 *
 * const configs = of(new Map([[workerId('7'), { totalKvBlocks: 100 }]]));
 * const monitor = loadMonitor({ configs, loads: NEVER }, { policy: policies.default });
 * const endpoint = { namespace: 'prod', component: 'backend', endpoint: 'generate' };
 * const pools = givenPool({ name: { model: 'llama', endpoint }, monitor, setThresholds: () => undefined });
 * monitor.connect();
 * const service = await startService({ pools, port: 0 });
 * const busy = (await (await fetch(`${service.url}/busy`)).json()) as { state: string };
 * console.log(busy.state);
 * await service.stop();
 * monitor.stop();
 * // Logs: unknown
 * ```
 *
 * @see {@link FleetPools}, {@link givenPool}
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  requireServiceOptions(options);
  const { pools, host, port, release, ...limits } = { ...serviceDefaults, ...givenOptions(options) };
  const scheduler = options.scheduler ?? monotonicScheduler;
  const now = (): number => scheduler.now();
  const summaries = new PoolSummaries();
  const log = new EventLog(limits.keptEvents);
  const snapshot = (): object => ({
    models: pools.models().map((model) => summarizeModel(model, pools, summaries)),
    pools: pools.list().map((pool) => summaries.describe(wholePool(pool))),
    sources: (pools.sourceMonitor.snapshot()?.status ?? []).map((status) => ({
      ...status,
      since: isoTime(pools.sourceMonitor, status.since),
    })),
  });
  const readers = new EventReaders(log, snapshot, limits, now);
  const page = new MetricsPage(pools);
  const { frontends } = options;
  const reports: RunParts['reports'] = { last: [] };
  const file =
    options.state === undefined
      ? null
      : new ThresholdFile(options.state, pools.book, () => wallTime(scheduler, now()));
  // Before the first pool appears.
  await file?.sync();
  let isDraining = false;
  const context: ServiceContext = {
    pools,
    summaries,
    version: packageVersion,
    readers,
    page,
    guard: new AdminGuard(options.adminToken, host),
    release,
    maxBodyBytes: limits.maxBodyBytes,
    saved: async () => file?.sync(),
    frontends: frontends === undefined ? null : { reports: () => reports.last, now: () => frontends.now() },
    isDraining: () => isDraining,
    startedAt: now(),
    now,
  };
  const app = await createServiceApp(context, options.logger);
  const running = run({ ...options, summaries, log, readers, page, reports, file, logger: app.log });
  // Values that sources emit synchronously are known before the first request.
  await sleep(0);
  try {
    await app.listen({ host, port });
  } catch (error) {
    running.unsubscribe();
    await app.close();
    throw listenError(error, host, port);
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    isDraining = true;
    readers.close();
    const limit = new AbortController();
    const late = sleep(MAX_STOP_MS, undefined, { signal: limit.signal, ref: false }).then(
      () => app.server.closeAllConnections(),
      () => undefined,
    );
    await app.close();
    limit.abort();
    await late;
    running.unsubscribe();
    await file?.sync();
  };
  return {
    host,
    port: bound,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    drain: () => {
      isDraining = true;
      readers.refuse();
    },
    stop: () => (ended ??= end()),
  };
}

function listenError(cause: unknown, host: string, port: number): ServiceError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    const text = `Port ${port} of ${host} is in use; choose another port with --port, or 0 for a free one.`;
    return new ServiceError(500, 'port-in-use', text, { cause });
  }
  return new ServiceError(500, 'cannot-listen', `Cannot listen on port ${port} of ${host}: ${message}`, {
    cause,
  });
}
