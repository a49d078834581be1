import {
  concat,
  delay,
  ignoreElements,
  merge,
  mergeMap,
  NEVER,
  of,
  ReplaySubject,
  shareReplay,
  takeUntil,
  tap,
} from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import { policies } from '../core/policies.js';
import { policyNamed } from '../core/policy-named.js';
import type { WorkerId } from '../core/worker-id.js';
import { simulateFleet } from '../simulator/simulate-fleet.js';
import { SIMULATED_ENDPOINT } from '../simulator/simulated-worker.js';
import { LoadDecoder } from '../wire/load-decoder.js';
import { exitCode } from './exit-code.js';
import { liveAccess } from './live-access.js';
import type { LiveOptions } from './live-options.js';
import { LiveReport } from './live-report.js';
import { liveWorker } from './live-worker.js';
import { marksOf, type MarkOptions } from './mark-options.js';
import { marksText } from './marks-text.js';
import { paced } from './paced.js';
import { readModelFiles } from './read-model-files.js';
import { RegistrationNews } from './registration-news.js';
import { SharedLink } from './shared-link.js';
import { SimulatedTruth } from './simulated-truth.js';
import type { Terminal } from './terminal.js';
import { untilSignal } from './until-signal.js';
import { workerLives } from './worker-lives.js';

/** The options of `tidemark simulate`. */
export interface SimulateOptions extends LiveOptions, MarkOptions {
  readonly seed: number;
  readonly workers: number;
  readonly ranks: number;
  /** Seconds. */
  readonly duration: number;
  readonly generation: '1.0' | '1.6';
  readonly policy: string;
  /** Seconds. */
  readonly ttl: number;
  readonly model: string;
  /** A folder with the files that a card names. */
  readonly modelPath?: string;
}

/** How long the workers have for leaving in order. */
const LEAVE_MS = 6_000;

/**
 * `tidemark simulate`: a simulated fleet as real workers' twin: leases and cards in etcd, loads on NATS. It prints who
 * is busy by its own knowledge, as `tidemark watch` prints what it sees. At the end all leases are revoked.
 */
export async function simulateCommand(
  options: SimulateOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const { seed, workers, ranks, duration, generation, ttl: ttlSeconds } = options;
  const policy = policyNamed(options.policy);
  const marks = marksOf(options, policy, {});
  const { nats, etcd } = liveAccess(options, process.env);
  const model = {
    model: options.model,
    ...(options.modelPath !== undefined && { files: await readModelFiles(options.modelPath) }),
  };
  const report = new LiveReport(terminal, options.json === true, scheduler);
  const news = new RegistrationNews(report);
  const truth = new SimulatedTruth({ policy, scheduler, start: { thresholds: marks } });
  const link = new SharedLink(nats);
  const namespace =
    options.namespace === undefined || options.namespace === '' ? 'dynamo' : options.namespace;
  const place = { ...SIMULATED_ENDPOINT, namespace };
  const spoken = policies[`dynamo-${generation}`];
  const plan = { seed, workers, ranks, durationMs: duration * 1000, policy: spoken, startedAt: Date.now() };
  const facts = simulateFleet(plan);
  const count = { published: 0, transitions: 0 };
  let busy: readonly WorkerId[] = [];
  let ending = false;

  const over$ = end$.pipe(
    tap(() => (ending = true)),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const linked$ = new ReplaySubject<void>(1);
  const facts$ = concat(paced(facts, scheduler), NEVER).pipe(takeUntil(over$));
  const workers$ = workerLives(facts$, new LoadDecoder(spoken)).pipe(
    mergeMap((life) =>
      liveWorker(life, {
        etcd,
        link,
        linked$,
        place,
        model,
        generation,
        ttlSeconds,
        scheduler,
        published: (load) => {
          count.published += 1;
          truth.published(load);
        },
      }).pipe(
        tap((status) => {
          news.take(life, status);
          const { state, workerId } = status;
          if (workerId === null) return;
          if (state === 'registered') truth.came(workerId, life.config);
          // Who leaves because all end stays in the summary.
          if (state === 'ended' && !ending) truth.left(workerId);
        }),
      ),
    ),
    ignoreElements(),
    takeUntil(over$.pipe(delay(LEAVE_MS, scheduler))),
  );
  const told$ = merge(
    truth.monitor.busy$.pipe(tap((set) => (busy = [...set]))),
    truth.monitor.transitions$.pipe(
      tap((transition) => {
        count.transitions += 1;
        report.transition(transition);
      }),
    ),
    link.status$.pipe(
      tap((status) => {
        if (status.state === 'connecting') return;
        report.health(status);
        if (status.state !== 'live') return;
        linked$.next();
        linked$.complete();
      }),
    ),
  );

  const fleet = `${workers} workers × ${ranks} ranks of ${generation}`;
  const endpoint = `${namespace}.${place.component}.${place.endpoint}`;
  report.began(
    `simulating ${fleet} at ${endpoint} for ${duration} s, seed ${seed}; policy ${policy.name}, ${marksText(marks)}; Ctrl-C ends it`,
    { workers, ranks, generation, endpoint, seed, policy: policy.name },
  );
  const began = scheduler.now();
  await new Promise<void>((resolve, reject) => {
    const done$ = concat(workers$, of(null)).pipe(shareReplay({ bufferSize: 1, refCount: true }));
    merge(told$.pipe(takeUntil(done$)), done$).subscribe({ error: reject, complete: resolve });
    truth.monitor.connect();
  });
  truth.monitor.stop();

  const seconds = (scheduler.now() - began) / 1000;
  const atEnd = busy.length === 0 ? 'no worker is busy' : `busy: ${busy.join(', ')}`;
  report.summary(
    `after ${seconds.toFixed(1)} s: ${count.published} loads published, ${count.transitions} transitions; ${atEnd}`,
    { seconds, ...count, busy },
  );
  return exitCode.ok;
}
