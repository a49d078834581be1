import { endWith, ignoreElements, merge, share, takeUntil, tap } from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { plural } from '../../core/number-text.js';
import { policyNamed } from '../../core/policy/policies.js';
import { liveSimulator } from '../../fleet/live-simulator/live-simulator.js';
import type { SimulatedRelease } from '../../fleet/live-simulator/live-worker.js';
import type { SimulatorEvent } from '../../fleet/live-simulator/simulator-event.js';
import { SIMULATION_NAMESPACE } from '../../fleet/live-simulator/simulation-namespace.js';
import { type LiveOptions, connectionOptionsFromEnv, namespaceFromOptions } from '../fleet-options.js';
import { LiveReport, busyText } from '../live-report.js';
import { type Terminal, exitCode, untilSignal } from '../terminal.js';
import { type ThresholdOptions, thresholdsFromOptions, thresholdsText } from '../threshold-options.js';
import { PoolReport } from './pool-report.js';
import { readModelFiles } from './read-model-files.js';

/** The options of `tidemark simulate`. */
export interface SimulateOptions extends LiveOptions, ThresholdOptions {
  readonly seed: number;
  readonly workers: number;
  readonly prefillWorkers?: number;
  readonly ranks: number;
  /** In seconds. */
  readonly duration: number;
  readonly generation: SimulatedRelease;
  readonly policy: string;
  /** In seconds. */
  readonly ttl: number;
  readonly model: string;
  /** A folder with the files that a model card lists. */
  readonly modelPath?: string;
  /** Whether a simulated router sends requests to the workers that are not busy. */
  readonly closedLoop?: boolean;
  /** Whether to simulate in a namespace that has other workers. */
  readonly force?: boolean;
}

/**
 * `tidemark simulate`: runs a simulated fleet against real servers.
 *
 * 1. It keeps leases and model cards in etcd, and publishes loads on NATS; workers of 0.6 answer scrapes instead.
 * 2. It prints which workers are busy according to what they registered and published, in the format of `tidemark watch`.
 * 3. It refuses a namespace with other workers. At the end it revokes all leases.
 */
export async function simulateCommand(
  options: SimulateOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const { seed, workers, prefillWorkers = 0, duration, generation: release, closedLoop = false } = options;
  const ranks = release === '0.6' ? 1 : options.ranks;
  const namespace = namespaceFromOptions(options) ?? SIMULATION_NAMESPACE;
  const policy = policyNamed(options.policy);
  const thresholds = thresholdsFromOptions(options, policy, {});
  const files = options.modelPath === undefined ? undefined : await readModelFiles(options.modelPath);
  const simulator = liveSimulator({
    ...connectionOptionsFromEnv(options, process.env),
    ...{ seed, workers, prefillWorkers, ranks, durationMs: duration * 1000, release, namespace, scheduler },
    ...{ model: options.model, ttlSeconds: options.ttl, force: options.force === true },
    ...(files !== undefined && { files }),
    ...(closedLoop && { closedLoop: {} }),
    rules: { policy, thresholds },
  });
  const { pools } = simulator;
  const report = new LiveReport(terminal, options.json === true, pools.sourceMonitor);
  const poolReport = new PoolReport(pools, report);
  const startedAt = scheduler.now();

  const prefill = prefillWorkers > 0 ? ` and ${plural(prefillWorkers, 'prefill worker')}` : '';
  const fleet = `${plural(workers, 'worker')}${prefill} × ${plural(ranks, 'rank')} of ${release}`;
  report.start(
    `simulating ${fleet} in namespace ${namespace} for ${duration} s, seed ${seed}; policy ${policy.name}, ${thresholdsText(thresholds)}; press Ctrl-C to stop`,
    { workers, prefillWorkers, ranks, generation: release, namespace, seed, policy: policy.name, closedLoop },
  );
  const print = (event: SimulatorEvent): void => {
    if (event.kind === 'status') {
      if (event.status.state !== 'connecting') report.status(event.status);
    } else if (event.kind === 'worker') {
      const { workerId, change, registered } = event;
      const details = { workerId, change, registered };
      report.event('worker', `worker ${workerId} ${change}; ${registered} registered`, details);
    } else {
      const { published, busy, requests } = event;
      const { transitions } = poolReport;
      const seconds = (scheduler.now() - startedAt) / 1000;
      const served =
        requests === undefined
          ? ''
          : `; ${requests.routed} requests routed, ${requests.rejected} rejected, ${requests.lost} lost`;
      report.summary(
        `after ${seconds.toFixed(1)} s: ${published} loads published, ${transitions} transitions${served}; ${busyText(busy)}`,
        { seconds, published, transitions, busy, ...(requests !== undefined && { requests }) },
      );
    }
  };
  await new Promise<void>((resolve, reject) => {
    const done$ = simulator.run(end$).pipe(tap(print), ignoreElements(), endWith(null), share());
    merge(poolReport.run().pipe(takeUntil(done$)), done$).subscribe({ error: reject, complete: resolve });
  });
  return exitCode.ok;
}
