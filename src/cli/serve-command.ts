import { setTimeout as sleep } from 'node:timers/promises';
import { firstValueFrom, type Observable } from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import { policies } from '../core/policies.js';
import { frontendMarks } from '../service/frontends/frontend-marks.js';
import { FleetPools } from '../service/pools/fleet-pools.js';
import type { FleetSource } from '../service/pools/fleet-source.js';
import { liveFleet } from '../service/pools/live-fleet.js';
import { startService } from '../service/start-service.js';
import { simulatedFleet } from './demo-fleet.js';
import { exitCode } from './exit-code.js';
import { marksText } from './marks-text.js';
import { forLiveService, forService, needPackages } from './need-packages.js';
import type { Flags } from './settings/resolve-settings.js';
import { servePlan, type ServePlan } from './settings/serve-plan.js';
import type { Terminal } from './terminal.js';
import { untilSignal } from './until-signal.js';

const FRONTEND_TIMEOUT_MS = 5000;
/** After so long the simulated fleet begins again. */
const SIMULATED_MS = 600_000;

/**
 * `tidemark serve`: who is busy and why over HTTP, until Ctrl-C or SIGTERM. Then it is not ready any more, answers on
 * for `drainSeconds`, ends the readers of events and what is under way, and ends. A second signal ends it at once.
 */
export async function serveCommand(
  flags: Flags,
  terminal: Terminal,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  end$: Observable<unknown> = untilSignal(undefined, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const plan = await servePlan(flags, environment);
  const { settings, policy, marks, adminToken, notes } = plan;
  const { host, port, generation, frontend, maxReaders, maxBufferedBytes, maxBodyBytes, keptEvents } =
    settings;
  await needPackages('serve', plan.access === null ? forService : forLiveService);
  const frontends =
    frontend.length === 0
      ? undefined
      : frontendMarks({
          urls: frontend,
          intervalMs: settings.frontendInterval * 1000,
          timeoutMs: FRONTEND_TIMEOUT_MS,
          scheduler,
        });
  const fleet = fleetOf(plan);
  const status = [...fleet.status, ...(frontends?.status ?? [])];
  const pools = new FleetPools({ ...fleet, status }, { policy, marks, scheduler });
  const over = firstValueFrom(end$, { defaultValue: undefined });
  const service = await startService({
    pools,
    host,
    port,
    generation,
    maxReaders,
    maxBufferedBytes,
    maxBodyBytes,
    keptEvents,
    ...(adminToken !== undefined && { adminToken }),
    ...(frontends !== undefined && { frontends }),
    logger: { level: settings.logLevel, stream: { write: (line) => terminal.err(line.trimEnd()) } },
    scheduler,
  });
  const watched = settings.simulate
    ? `a simulated fleet of ${settings.workers} workers, model ${settings.model}`
    : settings.namespace === undefined
      ? 'every namespace'
      : `namespace ${settings.namespace}`;
  terminal.out(
    `serving ${watched} on ${service.url} (policy ${policy.name}; ${marksText(marks)}); Ctrl-C ends it`,
  );
  for (const note of notes) terminal.err(note);
  await over;
  service.drain();
  await sleep(settings.drainSeconds * 1000);
  await service.stop();
  return exitCode.ok;
}

function fleetOf({ settings, access }: ServePlan): FleetSource {
  const { generation, model, workers, ranks, seed, namespace } = settings;
  if (access !== null) return liveFleet({ ...access, ...(namespace !== undefined && { namespace }) });
  const plan = {
    seed,
    workers,
    ranks,
    model,
    durationMs: SIMULATED_MS,
    policy: policies[`dynamo-${generation}`],
  };
  return simulatedFleet(plan, monotonicScheduler);
}
