import {
  EMPTY,
  NEVER,
  type Observable,
  ReplaySubject,
  type SchedulerLike,
  Subject,
  concat,
  defer,
  delay,
  filter,
  finalize,
  groupBy,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  shareReplay,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { type EtcdOptions, toEtcdOptions } from '../../adapters/etcd/etcd-options.js';
import type { NatsLink } from '../../adapters/nats/nats-link.js';
import { type NatsConnectionOptions, toNatsConnectionOptions } from '../../adapters/nats/nats-options.js';
import { natsPublisher } from '../../adapters/nats/nats-publisher.js';
import { TidemarkError } from '../../core/errors.js';
import {
  aNumber,
  aScheduler,
  aString,
  anObject,
  oneOf,
  optionProblems,
  required,
  validatedElsewhere,
} from '../../core/option-problems.js';
import { policies } from '../../core/policy/policies.js';
import type { Message } from '../../core/sources/message-source.js';
import type { WorkerId } from '../../core/worker-id.js';
import { discoveryPrefixes } from '../../dynamo/discovery/discovery-keys.js';
import { type FleetPlan, validateFleetPlan } from '../../simulator/fleet-plan.js';
import { waveChanges } from '../../simulator/simulate-fleet.js';
import { SIMULATION_NAMESPACE, type SimulatedChange } from '../../simulator/simulated-worker.js';
import { RouterRun } from '../../simulator/simulated-router.js';
import type { ModelFiles } from '../../wire/discovery/encode-discovery-record.js';
import type { FleetPools, PoolRules } from '../pools/fleet-pools.js';
import { busyWorkers } from '../pools/pools.js';
import { type SimulatedRelease, liveWorker } from './live-worker.js';
import { paced } from './paced.js';
import { REGISTRATION, SimulatedTruth } from './simulated-truth.js';
import type { SimulatorEvent } from './simulator-event.js';
import { refuseForeignWorkers } from './simulation-namespace.js';

/** Options of {@link liveSimulator}. */
export interface LiveSimulatorOptions extends Pick<
  FleetPlan,
  'seed' | 'workers' | 'prefillWorkers' | 'ranks' | 'durationMs'
> {
  /** The NATS servers (a string is a comma-separated list), connection options, or an existing connection. */
  readonly nats: string | NatsLink | NatsConnectionOptions;
  /** The hosts of etcd (a string is a comma-separated list), or connection options. */
  readonly etcd: string | EtcdOptions;
  /** Where the workers register; {@link SIMULATION_NAMESPACE} when absent. */
  readonly namespace?: string;
  /** Whether to simulate in a namespace that has other workers. Not when absent. */
  readonly force?: boolean;
  /** The release whose keys, subjects and bytes are used. Workers of 0.6 answer scrapes, and have one rank and no roles. */
  readonly release: SimulatedRelease;
  /** The name in the model cards; `simulated-model` when absent. */
  readonly model?: string;
  /** The files of the model, so that a Dynamo frontend can serve it. */
  readonly files?: ModelFiles;
  /** How long a worker stays registered after this process died, in seconds; 10 when absent. */
  readonly ttlSeconds?: number;
  /**
   * The load follows from requests, and a simulated router sends them to workers that are not busy. The busy workers are
   * those of `busy$`, or when absent those of the simulator's own pools. `demand` is that of a `RouterPlan`.
   */
  readonly closedLoop?: { readonly demand?: number; readonly busy$?: Observable<Iterable<WorkerId>> };
  /** The rules by which the simulator judges its own workers. */
  readonly rules: Omit<PoolRules, 'scheduler'>;
  /** `monotonicScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** A fleet that is simulated on real servers. See {@link liveSimulator}. */
export interface LiveSimulator {
  /** The judgement on what the workers registered and published, without the servers in between. */
  readonly pools: FleetPools;
  /** Simulates until `end$` emits and the workers have left, or until it is unsubscribed. It runs once. */
  run(end$: Observable<unknown>): Observable<SimulatorEvent>;
}

/** The policy whose bytes the simulator writes. Loads of 0.6 are encoded again for scrapes. */
const policyByRelease = {
  '0.6': policies['dynamo-0.8'],
  '1.0': policies['dynamo-1.0'],
  '1.6': policies['dynamo-1.6'],
} as const;
const optionRules = {
  nats: validatedElsewhere,
  etcd: validatedElsewhere,
  namespace: aString,
  force: { what: 'true or false', is: (value: unknown) => typeof value === 'boolean' },
  seed: validatedElsewhere,
  workers: validatedElsewhere,
  prefillWorkers: validatedElsewhere,
  ranks: validatedElsewhere,
  durationMs: validatedElsewhere,
  release: required(oneOf(Object.keys(policyByRelease))),
  model: aString,
  files: anObject,
  ttlSeconds: aNumber,
  closedLoop: anObject,
  rules: required(anObject),
  scheduler: aScheduler,
};
/** How long the workers may take to leave in good order. */
const LEAVE_MS = 6_000;

/**
 * Simulates a fleet on real servers: workers that register in etcd, and publish their loads on NATS.
 *
 * 1. Before the first worker registers, it reads the keys of the namespace. If there are workers that are not simulated,
 *    `run` errors with a {@link ForeignWorkersError}. The model cards of simulated workers say so in `user_data`. While
 *    etcd cannot be reached, it waits.
 * 2. Each worker has its own lease. All workers of 1.0 and 1.6 share a connection to NATS; those of 0.6 have their own.
 * 3. `pools` judges the bytes that the workers write, as {@link FleetPools} judges a live fleet.
 * 4. With `closedLoop`, what a monitor says changes the load: busy workers get no new requests.
 * 5. After `end$` the workers send their last loads, and their leases are revoked. If the process is killed, the workers
 *    stay for `ttlSeconds`.
 *
 * @throws FleetPlanError, NatsOptionsError, EtcdOptionsError, ScopeError, ThresholdError, or TidemarkError with the code
 *   `live-simulator`, synchronously, for invalid options.
 *
 * @example
 * ```ts no-run
 * import { policies } from 'tidemark';
 * import { liveSimulator } from 'tidemark/dynamo';
 * import { timer } from 'rxjs';
 *
 * const servers = { nats: 'nats://127.0.0.1:4222', etcd: 'http://127.0.0.1:2379' };
 * const size = { seed: 1, workers: 4, prefillWorkers: 2, ranks: 2, durationMs: 60_000 };
 * const rules = { policy: policies.default, thresholds: { activeDecodeBlocksThreshold: 0.85 } };
 * liveSimulator({ ...servers, ...size, rules, release: '1.6', closedLoop: {} })
 *   .run(timer(60_000))
 *   .subscribe((event) => console.log(event));
 * ```
 *
 * @see {@link dynamoFleet}, which watches the fleet, and `simulateFleet` in `tidemark/simulator`, without servers
 */
export function liveSimulator(options: LiveSimulatorOptions): LiveSimulator {
  const problems = optionProblems('liveSimulator', options, optionRules);
  if (problems.length > 0) throw new TidemarkError('live-simulator', `${problems.join('; ')}.`);
  const { namespace = SIMULATION_NAMESPACE, force = false, release, closedLoop, rules } = options;
  const { model = 'simulated-model', files, ttlSeconds = 10, scheduler = monotonicScheduler } = options;
  const nats = toNatsConnectionOptions(options.nats);
  const etcd = toEtcdOptions(options.etcd);
  // Throws for an invalid name before anything starts.
  discoveryPrefixes(namespace);
  const plan = planOf(options);
  const truth = new SimulatedTruth({ ...rules, scheduler });
  let busy: ReadonlySet<WorkerId> = new Set();
  let avoided: ReadonlySet<WorkerId> = busy;
  const router =
    closedLoop === undefined
      ? null
      : new RouterRun(
          { ...plan, ...(closedLoop.demand !== undefined && { demand: closedLoop.demand }) },
          (worker) => {
            const id = truth.registeredId(worker);
            return id !== undefined && avoided.has(id);
          },
        );

  const simulate = (end$: Observable<unknown>): Observable<SimulatorEvent> => {
    const over$ = end$.pipe(
      take(1),
      tap(() => (truth.isEnding = true)),
      shareReplay({ bufferSize: 1, refCount: true }),
    );
    const outbox$ = new Subject<Message>();
    const linked$ = new ReplaySubject<null>(1);
    const publisher$ = defer(() => {
      linked$.next(null);
      return outbox$;
    }).pipe(
      natsPublisher({ scheduler, ...nats }),
      map((status): SimulatorEvent => ({ kind: 'status', status })),
    );
    const workerOptions = {
      ...{ etcd, nats, namespace, release, ttlSeconds, scheduler },
      // Workers of 0.6 publish nothing.
      linked$: release === '0.6' ? of(null) : linked$.pipe(take(1)),
      model: { model, ...(files !== undefined && { files }) },
    };
    const changes$ = defer(() =>
      concat(paced<SimulatedChange>(router?.changes() ?? waveChanges(plan), scheduler), NEVER),
    ).pipe(takeUntil(over$));
    const workers$ = changes$.pipe(
      groupBy(({ worker }) => worker, {
        // A worker that comes back is a new one.
        duration: (life$) => life$.pipe(filter((change) => 'isPresent' in change && !change.isPresent)),
      }),
      mergeMap((life$) => {
        const loads$ = life$.pipe(mergeMap((change) => ('load' in change ? [change.load] : [])));
        return liveWorker(life$.key, loads$, workerOptions).pipe(
          tap((event) => {
            if ('message' in event) outbox$.next(event.message);
          }),
          mergeMap((event) => truth.update(event, life$.key, life$)),
        );
      }),
      takeUntil(over$.pipe(delay(LEAVE_MS, scheduler))),
    );
    const check$ = force
      ? EMPTY
      : refuseForeignWorkers(namespace, { scheduler, ...etcd, source: REGISTRATION }).pipe(
          map((status): SimulatorEvent => ({ kind: 'status', status })),
          takeUntil(over$),
        );
    const done$ = new Subject<void>();
    const fleet$ = concat(check$, workers$).pipe(finalize(() => done$.next()));
    const busy$ = busyWorkers(truth.pools).pipe(tap((ids) => (busy = ids)));
    const avoided$ = (closedLoop?.busy$ ?? busy$).pipe(tap((ids) => (avoided = new Set(ids))));
    // Subscribed first, so that `end$` has a subscriber from the start to the end.
    const besides$ = merge(over$, busy$, avoided$).pipe(ignoreElements());
    return merge(merge(besides$, release === '0.6' ? EMPTY : publisher$).pipe(takeUntil(done$)), fleet$);
  };

  return {
    pools: truth.pools,
    run: (end$) =>
      defer(() => {
        const running = truth.pools.run();
        const ended$ = defer(() => {
          const { published } = truth;
          const requests = router === null ? {} : { requests: router.counts };
          return of<SimulatorEvent>({ kind: 'ended', published, busy: [...busy], ...requests });
        });
        return concat(simulate(end$), ended$).pipe(finalize(() => running.unsubscribe()));
      }),
  };
}

/** @throws FleetPlanError, and TidemarkError for prefill workers of 0.6 */
function planOf(options: LiveSimulatorOptions): FleetPlan {
  const { seed, workers, prefillWorkers = 0, ranks, durationMs, release } = options;
  if (release === '0.6' && prefillWorkers > 0)
    throw new TidemarkError(
      'live-simulator',
      'Workers of 0.6 have no roles: leave out the prefill workers, or simulate release 1.0 or 1.6.',
    );
  const plan: FleetPlan = {
    ...{ seed, workers, prefillWorkers, ranks: release === '0.6' ? 1 : ranks, durationMs },
    ...{ policy: policyByRelease[release], startedAt: 0 },
  };
  validateFleetPlan(plan);
  return plan;
}
