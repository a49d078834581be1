import {
  asyncScheduler,
  concat,
  fromEvent,
  merge,
  NEVER,
  Subject,
  takeUntil,
  tap,
  timer,
  type SchedulerLike,
} from 'rxjs';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import { policyNamed } from '../../core/policy/policies.js';
import type { Transition } from '../../core/state/fleet-step.js';
import type { WorkerId } from '../../core/worker-id.js';
import { givenPool } from '../../service/pools/pools.js';
import { ServiceError } from '../../service/service-error.js';
import { startService, type Service } from '../../service/start-service.js';
import { simulateFleet } from '../../simulator/simulate-fleet.js';
import { DEMO_MODEL, SIMULATED_ENDPOINT } from '../../simulator/simulated-worker.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';
import { paced } from '../paced.js';
import { type Terminal, exitCode } from '../terminal.js';
import { type ThresholdOptions, thresholdsFromOptions, thresholdsText } from '../threshold-options.js';
import { demoMonitor } from './demo-fleet.js';

/** The options of `tidemark demo`. */
export interface DemoOptions extends ThresholdOptions {
  readonly seed: number;
  readonly workers: number;
  readonly ranks: number;
  /** Seconds. */
  readonly duration: number;
  readonly policy: string;
  /** Where it is served as well. */
  readonly port: number;
  readonly json?: boolean;
}

const TOLERATED_LAG_MS = 500;
const demoThresholds = { activeDecodeBlocksThreshold: 0.85, activePrefillTokensThresholdFrac: 1.5 };

/**
 * `tidemark demo`: watches a simulated fleet, one line for each worker that becomes busy or free, and a summary
 * at the end or at Ctrl-C.
 */
export async function demoCommand(
  options: DemoOptions,
  terminal: Terminal,
  scheduler: SchedulerLike = asyncScheduler,
): Promise<number> {
  const { seed, workers, ranks, duration, json } = options;
  const policy = policyNamed(options.policy);
  const thresholds = thresholdsFromOptions(options, policy, demoThresholds);
  const began = scheduler.now();
  const simulatedEvents = simulateFleet({
    seed,
    workers,
    ranks,
    durationMs: duration * 1000,
    policy,
    startedAt: Date.now(),
  });
  const count = { messages: 0, records: 0, transitions: 0 };
  const decoder = new LoadDecoder(policy);
  let lagMs = 0;
  // The last fact comes before the end; the fleet is watched to the end all the same, and not beyond.
  const end$ = merge(timer(duration * 1000, scheduler), fromEvent(process, 'SIGINT'));
  const simulatedEvents$ = concat(paced(simulatedEvents, scheduler), NEVER).pipe(
    tap((fact) => {
      if ('key' in fact) count.records += 1;
      else count.messages += 1;
      lagMs = scheduler.now() - began - fact.at;
    }),
    takeUntil(end$),
  );
  const seconds = (at: number): number => (at - began) / 1000;
  terminal.err(
    `a simulated fleet of ${workers} workers × ${ranks} ranks for ${duration} s, seed ${seed}, policy ${policy.name}; ` +
      `${thresholdsText(thresholds)}; Ctrl-C ends it`,
  );
  const thresholds$ = new Subject<LoadThresholdUpdate>();
  const monitor = demoMonitor(
    {
      events$: simulatedEvents$,
      decoder,
      policy,
      thresholds,
      thresholds$: thresholds$.pipe(takeUntil(end$)),
    },
    scheduler,
  );
  const service = await demoService(monitor, thresholds$, options.port, scheduler, terminal);
  let busy: readonly WorkerId[] = [];
  await new Promise<void>((resolve, reject) => {
    monitor.busy$.subscribe({ next: (set) => (busy = [...set]), error: reject });
    monitor.transitions$.subscribe({
      next: (one) => {
        count.transitions += 1;
        terminal.out(json === true ? jsonLine(one, seconds) : textLine(one, seconds));
      },
      error: reject,
      complete: resolve,
    });
    monitor.connect();
  });
  await service?.stop();
  const summary = {
    seconds: seconds(scheduler.now()),
    ...count,
    fast: decoder.fast,
    walked: decoder.walked,
    busy,
  };
  terminal.out(json === true ? stringifyJson({ summary }) : summaryText(summary));
  if (lagMs > TOLERATED_LAG_MS) {
    terminal.err(
      `this machine fell ${(lagMs / 1000).toFixed(1)} s behind the fleet; take fewer --workers or --ranks to see it in real time`,
    );
  }
  return exitCode.ok;
}

/** The demo over HTTP; without it the demo runs all the same, and says why. */
async function demoService(
  monitor: LoadMonitor,
  thresholds$: Subject<LoadThresholdUpdate>,
  port: number,
  scheduler: SchedulerLike,
  terminal: Terminal,
): Promise<Service | null> {
  const pools = givenPool({
    name: { model: DEMO_MODEL, endpoint: SIMULATED_ENDPOINT },
    monitor,
    setThresholds: (change) => thresholds$.next(change),
  });
  try {
    const service = await startService({ pools, port, scheduler });
    terminal.err(`serving it on ${service.url} (/busy, /workers, /events, /metrics, /busy_threshold)`);
    return service;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    terminal.err(`it is not served: ${error.message}`);
    return null;
  }
}

function textLine({ at, busy, verdict }: Transition, seconds: (at: number) => number): string {
  return `${seconds(at).toFixed(1).padStart(6)} s  ${busy ? '▲' : '▽'} ${verdict.text}`;
}

function jsonLine({ at, workerId, busy, verdict }: Transition, seconds: (at: number) => number): string {
  const { reason, ranks, text } = verdict;
  return stringifyJson({ seconds: seconds(at), workerId, busy, reason, ranks, text });
}

function summaryText(summary: {
  readonly seconds: number;
  readonly messages: number;
  readonly records: number;
  readonly transitions: number;
  readonly busy: readonly string[];
}): string {
  const { messages, records, transitions, busy } = summary;
  const atEnd = busy.length === 0 ? 'no worker is busy' : `busy: ${busy.join(', ')}`;
  return `after ${summary.seconds.toFixed(1)} s: ${messages} load messages, ${records} discovery records, ${transitions} transitions; ${atEnd}`;
}
