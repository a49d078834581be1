import { endWith, filter, ignoreElements, map, merge, share, takeUntil, tap } from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { plural } from '../../core/number-text.js';
import { liveSimulator } from '../../fleet/live-simulator/live-simulator.js';
import type { SimulatorEvent } from '../../fleet/live-simulator/simulator-event.js';
import type { RequestCounts } from '../../simulator/simulated-router.js';
import { LiveReport, busyText } from '../live-report.js';
import { thresholdsText } from '../settings/rule-settings.js';
import { simulatedWorkersText } from '../settings/simulation-settings.js';
import { type Terminal, exitCode, untilSignal } from '../terminal.js';
import type { SimulatePlan } from './live-plans.js';
import { PoolReport } from './pool-report.js';
import { readModelFiles } from './read-model-files.js';

/**
 * `tidemark simulate`: runs a simulated fleet against real servers.
 *
 * 1. It keeps leases and model cards in etcd, and publishes loads on NATS; workers of 0.6 answer scrapes instead.
 * 2. It prints which workers are busy according to what they registered and published, in the format of `tidemark watch`.
 * 3. It refuses a namespace with other workers. At the end it revokes all leases.
 */
export async function simulateCommand(
  { settings, rules, nats, etcd }: SimulatePlan,
  terminal: Terminal,
  end$ = untilSignal(settings.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const { seed, workers, prefillWorkers, duration, model, simulateGeneration: release } = settings;
  const {
    simulateNamespace: namespace,
    simulateModelPath: modelPath,
    simulateClosedLoop: closedLoop,
  } = settings;
  const ranks = release === '0.6' ? 1 : settings.ranks;
  const files = modelPath === undefined ? undefined : await readModelFiles(modelPath);
  const simulator = liveSimulator({
    ...{ nats, etcd, namespace, seed, workers, prefillWorkers, ranks, release, model, rules, scheduler },
    durationMs: duration * 1000,
    ttlSeconds: settings.simulateTtl,
    force: settings.simulateForce,
    ...(files !== undefined && { files }),
    ...(closedLoop && { closedLoop: {} }),
  });
  const report = new LiveReport(terminal, settings.json, simulator.pools.sourceMonitor);
  const pools = new PoolReport(simulator.pools, report);
  const startedAt = scheduler.now();
  const fleet = `${simulatedWorkersText(settings)} × ${plural(ranks, 'rank')}`;
  const { policy, thresholds } = rules;
  report.start(
    `simulating ${fleet} of ${release} in namespace ${namespace} for ${duration} s, seed ${seed}; policy ${policy.name}, ${thresholdsText(thresholds)}; press Ctrl-C to stop`,
    { workers, prefillWorkers, ranks, generation: release, namespace, seed, policy: policy.name, closedLoop },
  );
  const print = (event: SimulatorEvent): void => {
    if (event.kind === 'worker') {
      const { workerId, change, registered } = event;
      const details = { workerId, change, registered };
      report.event('worker', `worker ${workerId} ${change}; ${registered} registered`, details);
    }
    if (event.kind !== 'ended') return;
    const { published, busy, requests } = event;
    const seconds = (scheduler.now() - startedAt) / 1000;
    const served = requests === undefined ? [] : [requestsText(requests)];
    const counts = [`${published} loads published`, `${pools.transitions} transitions`, ...served];
    report.summary(
      `after ${seconds.toFixed(1)} s: ${counts.join(', ')}; ${busyText(busy, thresholds.isConfigured())}`,
      {
        ...{ seconds, published, transitions: pools.transitions, busy },
        ...(requests !== undefined && { requests }),
      },
    );
  };
  await new Promise<void>((resolve, reject) => {
    const events$ = simulator.run(end$).pipe(tap(print), share());
    const done$ = events$.pipe(ignoreElements(), endWith(null));
    const statuses$ = events$.pipe(
      filter((event) => event.kind === 'status'),
      map(({ status }) => status),
      report.statuses(scheduler),
    );
    merge(pools.run().pipe(takeUntil(done$)), statuses$).subscribe({ error: reject, complete: resolve });
  });
  return exitCode.ok;
}

function requestsText({ routed, rejected, lost }: RequestCounts): string {
  return `${routed} requests routed, ${rejected} rejected, ${lost} lost`;
}
