import {
  NEVER,
  type Observable,
  ReplaySubject,
  Subject,
  concat,
  delay,
  ignoreElements,
  merge,
  mergeMap,
  of,
  shareReplay,
  takeUntil,
  tap,
} from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import type { WorkerStatus } from '../../fleet/register-worker.js';
import type { ActiveLoad, RuntimeConfig } from '../../core/events/fleet-event.js';
import { type LoadMonitor, loadMonitor } from '../../core/pipeline/load-monitor.js';
import type { ConfigChange, InstanceChange, MonitorOptions } from '../../core/pipeline/monitor-sources.js';
import { policies } from '../../core/policy/policies.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { WorkerId } from '../../core/worker-id.js';
import { simulateFleet } from '../../simulator/simulate-fleet.js';
import { SIMULATED_ENDPOINT } from '../../simulator/simulated-worker.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';
import { endpointText } from '../../wire/endpoint-names.js';
import { LiveReport, busyText } from '../live-report.js';
import { paced } from '../paced.js';
import { thresholdsText } from '../settings/rule-settings.js';
import { type Terminal, exitCode, untilSignal } from '../terminal.js';
import type { SimulatePlan } from './live-plans.js';
import { liveWorker, workerLives } from './live-worker.js';
import { readModelFiles } from './read-model-files.js';
import { SharedLink } from './shared-link.js';

/** The policy whose bytes the simulator writes. Loads of 0.6 are re-encoded for scrapes. */
const policyByRelease = {
  '0.6': policies['dynamo-0.8'],
  '1.0': policies['dynamo-1.0'],
  '1.6': policies['dynamo-1.6'],
} as const;
/** How long the workers may take to leave in good order. */
const LEAVE_MS = 6_000;

/**
 * `tidemark simulate`: runs a simulated fleet against real servers.
 *
 * 1. It keeps leases and model cards in etcd, and publishes loads on NATS; workers of 0.6 answer scrapes instead.
 * 2. It prints which workers are busy according to the loads that it published, in the format of `tidemark watch`.
 * 3. At the end it revokes all leases.
 */
export async function simulateCommand(
  { settings, rules, nats, etcd }: SimulatePlan,
  terminal: Terminal,
  end$ = untilSignal(settings.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const { seed, workers, duration, simulateGeneration: release, simulateTtl: ttlSeconds } = settings;
  const { simulateNamespace: namespace, simulateModelPath: modelPath } = settings;
  const ranks = release === '0.6' ? 1 : settings.ranks;
  const { policy, thresholds } = rules;
  const model = {
    model: settings.model,
    ...(modelPath !== undefined && { files: await readModelFiles(modelPath) }),
  };
  const truth = new SimulatedTruth({ policy, scheduler, thresholds });
  const report = new LiveReport(terminal, settings.json, truth.monitor);
  const registrations = new RegistrationReporter(report);
  const link = new SharedLink(nats);
  const endpointName = { ...SIMULATED_ENDPOINT, namespace };
  const wirePolicy = policyByRelease[release];
  const plan = {
    seed,
    workers,
    ranks,
    durationMs: duration * 1000,
    policy: wirePolicy,
    startedAt: Date.now(),
  };
  const simulatedEvents = simulateFleet(plan);
  const count = { published: 0, transitions: 0 };
  let busy: readonly WorkerId[] = [];
  let isEnding = false;

  const over$ = end$.pipe(
    tap(() => (isEnding = true)),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const linked$ = new ReplaySubject<void>(1);
  const simulatedEvents$ = concat(paced(simulatedEvents, scheduler), NEVER).pipe(takeUntil(over$));
  const workers$ = workerLives(simulatedEvents$, new LoadDecoder(wirePolicy)).pipe(
    mergeMap((life) =>
      liveWorker(life, {
        etcd,
        link,
        linked$,
        endpoint: endpointName,
        model,
        release,
        ttlSeconds,
        scheduler,
        onPublished: (load) => {
          count.published += 1;
          truth.addLoad(load);
        },
      }).pipe(
        tap((status) => {
          registrations.update(life, status);
          const { state, workerId } = status;
          if (workerId === null) return;
          if (state === 'registered') truth.addWorker(workerId, life.config);
          // Workers that leave because the command ends still count in the summary.
          if (state === 'ended' && !isEnding) truth.removeWorker(workerId);
        }),
      ),
    ),
    ignoreElements(),
    takeUntil(over$.pipe(delay(LEAVE_MS, scheduler))),
  );
  const linkStatus$ = link.status$.pipe(
    tap(({ state }) => {
      if (state !== 'live') return;
      linked$.next();
      linked$.complete();
    }),
  );
  const outputs$ = merge(
    truth.monitor.busy$.pipe(tap((set) => (busy = [...set]))),
    truth.monitor.transitions$.pipe(
      tap((transition) => {
        count.transitions += 1;
        report.transition(transition);
      }),
    ),
    merge(linkStatus$, registrations.status$).pipe(report.statuses(scheduler)),
  );

  const fleet = `${workers} workers × ${ranks} ranks of ${release}`;
  const endpoint = endpointText(endpointName);
  report.start(
    `simulating ${fleet} at ${endpoint} for ${duration} s, seed ${seed}; policy ${policy.name}, ${thresholdsText(thresholds)}; press Ctrl-C to stop`,
    { workers, ranks, generation: release, endpoint, seed, policy: policy.name },
  );
  const startedAt = scheduler.now();
  await new Promise<void>((resolve, reject) => {
    const done$ = concat(workers$, of(null)).pipe(shareReplay({ bufferSize: 1, refCount: true }));
    merge(outputs$.pipe(takeUntil(done$)), done$).subscribe({ error: reject, complete: resolve });
    truth.monitor.connect();
  });
  truth.monitor.stop();

  const seconds = (scheduler.now() - startedAt) / 1000;
  report.summary(
    `after ${seconds.toFixed(1)} s: ${count.published} loads published, ${count.transitions} transitions; ${busyText(busy)}`,
    { seconds, ...count, busy },
  );
  return exitCode.ok;
}

/** A monitor that judges a simulated fleet from what it published, without the servers in between. */
class SimulatedTruth {
  readonly monitor: LoadMonitor;
  private readonly configs$ = new Subject<ConfigChange>();
  private readonly instances$ = new Subject<InstanceChange>();
  private readonly loads$ = new Subject<ActiveLoad>();

  constructor(options: MonitorOptions) {
    const { configs$: configs, instances$: decodeInstances, loads$: loads } = this;
    this.monitor = loadMonitor({ configs, decodeInstances, loads }, options);
  }

  addWorker(workerId: WorkerId, config: RuntimeConfig): void {
    this.configs$.next({ workerId, config });
    this.instances$.next({ workerId, present: true });
  }

  removeWorker(workerId: WorkerId): void {
    this.configs$.next({ workerId, config: null });
    this.instances$.next({ workerId, present: false });
  }

  addLoad(load: ActiveLoad): void {
    this.loads$.next(load);
  }
}

/** Reports the registrations of many workers: who registered, who left, and one common status for all failures. */
class RegistrationReporter {
  private readonly registered = new Set<WorkerId>();
  private readonly failing = new Set<object>();
  readonly #status$ = new Subject<SourceStatus>();
  readonly status$: Observable<SourceStatus> = this.#status$;

  constructor(private readonly report: LiveReport) {}

  /** Handles a status of one worker. `worker` is any object that identifies the worker. */
  update(worker: object, { state, workerId, since, why, retryInMs }: WorkerStatus): void {
    if (state === 'registered' || state === 'ended') this.failing.delete(worker);
    else if (why !== undefined) {
      this.failing.add(worker);
      const retry = retryInMs === undefined ? {} : { retryInMs };
      this.#status$.next({ source: 'registration (etcd)', state: 'down', since, why, ...retry });
    }
    if (state === 'registered' && this.failing.size === 0)
      this.#status$.next({ source: 'registration (etcd)', state: 'live', since });
    if (workerId === null) return;
    const { registered } = this;
    if (state === 'registered' && !registered.has(workerId)) {
      registered.add(workerId);
      this.reportWorker(workerId, 'registered');
    } else if (state === 'ended') {
      registered.delete(workerId);
      this.reportWorker(workerId, 'left');
    }
  }

  private reportWorker(workerId: WorkerId, change: 'registered' | 'left'): void {
    const { size } = this.registered;
    this.report.event('worker', `worker ${workerId} ${change}; ${size} registered`, {
      workerId,
      change,
      registered: size,
    });
  }
}
