import { setTimeout as sleep } from 'node:timers/promises';
import { type Observable, defer, firstValueFrom, repeat } from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { policies } from '../../core/policy/policies.js';
import { frontendThresholds } from '../../service/frontends/frontend-thresholds.js';
import { FleetPools } from '../../fleet/pools/fleet-pools.js';
import { ThresholdBook } from '../../fleet/thresholds/threshold-book.js';
import { dynamoFleet } from '../../fleet/dynamo-fleet.js';
import type { Fleet } from '../../fleet/fleet.js';
import { startService } from '../../service/start-service.js';
import { simulatedSources } from '../../fleet/simulated-sources.js';
import { simulateFleet } from '../../simulator/simulate-fleet.js';
import { paced } from '../../fleet/live-simulator/paced.js';
import type { Environment, Flags } from '../settings/resolve-settings.js';
import { thresholdsText } from '../settings/rule-settings.js';
import { simulatedWorkersText } from '../settings/simulation-settings.js';
import { liveServicePackages, servicePackages, requirePackages } from '../optional-packages.js';
import { type Terminal, exitCode, untilSignal } from '../terminal.js';
import { requireServePlan, type ServePlan } from './serve-plan.js';

const FRONTEND_TIMEOUT_MS = 5000;
/** The simulated fleet starts over after this time. */
const SIMULATED_MS = 600_000;

/**
 * `tidemark serve`: serves over HTTP which workers are busy and why, until Ctrl-C or SIGTERM. After the signal it reports
 * that it is not ready, answers requests for `drainSeconds`, ends event streams and running requests, and exits. A second
 * signal ends it immediately.
 */
export async function serveCommand(
  flags: Flags,
  terminal: Terminal,
  environment: Environment = process.env,
  end$: Observable<unknown> = untilSignal(undefined, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const plan = await requireServePlan(flags, environment);
  const { settings, adminToken, warnings } = plan;
  const { policy, thresholds } = plan.rules;
  const {
    host,
    port,
    generation: release,
    frontend,
    maxReaders,
    maxBufferedBytes,
    maxBodyBytes,
    keptEvents,
  } = settings;
  await requirePackages('serve', plan.fleet === null ? servicePackages : liveServicePackages);
  const frontends =
    frontend.length === 0
      ? undefined
      : frontendThresholds({
          urls: frontend,
          intervalMs: settings.frontendInterval * 1000,
          timeoutMs: FRONTEND_TIMEOUT_MS,
          scheduler,
        });
  const fleet = fleetFromPlan(plan);
  const status = [...fleet.status, ...(frontends?.status ?? [])];
  const book = new ThresholdBook({ policy, thresholds, sources: plan.thresholdSources });
  const pools = new FleetPools({ ...fleet, status }, { policy, thresholds, scheduler, book });
  const ended = firstValueFrom(end$, { defaultValue: undefined });
  const service = await startService({
    pools,
    host,
    port,
    release,
    maxReaders,
    maxBufferedBytes,
    maxBodyBytes,
    keptEvents,
    ...(settings.state !== undefined && { state: settings.state }),
    ...(adminToken !== undefined && { adminToken }),
    ...(frontends !== undefined && { frontends }),
    logger: { level: settings.logLevel, stream: { write: (line) => terminal.err(line.trimEnd()) } },
    scheduler,
  });
  const watched =
    plan.fleet?.text ?? `a simulated fleet of ${simulatedWorkersText(settings)}, model ${settings.model}`;
  terminal.out(
    `serving ${watched} on ${service.url} (policy ${policy.name}; ${thresholdsText(thresholds)}); press Ctrl-C to stop`,
  );
  for (const warning of warnings) terminal.err(warning);
  await ended;
  service.drain();
  await sleep(settings.drainSeconds * 1000);
  await service.stop();
  return exitCode.ok;
}

function fleetFromPlan({ settings, fleet }: ServePlan): Fleet {
  const { generation, model, workers, prefillWorkers, ranks, seed } = settings;
  if (fleet !== null) {
    // Columns, since the pools judge each batch during the call.
    return dynamoFleet({ ...fleet.options, form: 'columns' });
  }
  const plan = {
    seed,
    workers,
    prefillWorkers,
    ranks,
    model,
    durationMs: SIMULATED_MS,
    policy: policies[`dynamo-${generation}`],
  };
  // It starts over when it ends.
  const events$ = defer(() => paced(simulateFleet({ ...plan, startedAt: Date.now() }), monotonicScheduler));
  return dynamoFleet({ ...simulatedSources(events$.pipe(repeat())), form: 'columns' });
}
