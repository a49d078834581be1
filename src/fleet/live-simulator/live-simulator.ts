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
  share,
  shareReplay,
  take,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { type EtcdOptions, toEtcdOptions } from '../../adapters/etcd/etcd-options.js';
import { watchPrefix } from '../../adapters/etcd/watch-prefix.js';
import type { NatsLink } from '../../adapters/nats/nats-link.js';
import { type NatsConnectionOptions, toNatsConnectionOptions } from '../../adapters/nats/nats-options.js';
import { natsPublisher } from '../../adapters/nats/nats-publisher.js';
import { TidemarkError } from '../../core/errors.js';
import { policies } from '../../core/policy/policies.js';
import { MemoryKeys } from '../../core/sources/key-source.js';
import { type Message, MemoryMessages } from '../../core/sources/message-source.js';
import type { WorkerId } from '../../core/worker-id.js';
import { discoveryPrefixes } from '../../dynamo/discovery/discovery-keys.js';
import { type FleetPlan, validateFleetPlan } from '../../simulator/fleet-plan.js';
import { waveChanges } from '../../simulator/simulate-fleet.js';
import type { SimulatedChange } from '../../simulator/simulated-worker.js';
import { type RequestCounts, RouterRun } from '../../simulator/simulated-router.js';
import type { ModelFiles } from '../../wire/discovery/encode-discovery-record.js';
import { dynamoFleet } from '../dynamo-fleet.js';
import { FleetPools, type PoolRules } from '../pools/fleet-pools.js';
import { busyWorkers } from '../pools/pools.js';
import { CommonStatus, type MemberStatus } from './common-status.js';
import { type LiveWorkerEvent, type SimulatedRelease, liveWorker } from './live-worker.js';
import { paced } from './paced.js';
import { ForeignWorkersError, SIMULATION_NAMESPACE, foreignWorkers } from './simulation-namespace.js';

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

/** What happens in a {@link LiveSimulator}. */
export type SimulatorEvent =
  | { readonly kind: 'status'; readonly status: MemberStatus & { readonly source: string } }
  | {
      readonly kind: 'worker';
      readonly workerId: WorkerId;
      readonly change: 'registered' | 'left';
      /** The number of registered workers after the change. */
      readonly registered: number;
    }
  /** The last event. Workers that leave because the simulation ends still count as busy. */
  | {
      readonly kind: 'ended';
      /** The number of loads that were published. */
      readonly published: number;
      readonly busy: readonly WorkerId[];
      /** The requests of a closed loop. */
      readonly requests?: RequestCounts;
    };

/** A fleet that is simulated on real servers. See {@link liveSimulator}. */
export interface LiveSimulator {
  /** The judgement on what the workers registered and published, without the servers in between. */
  readonly pools: FleetPools;
  /** Simulates until `end$` emits and the workers left, or until it is unsubscribed. */
  run(end$: Observable<unknown>): Observable<SimulatorEvent>;
}

/** The policy whose bytes the simulator writes. Loads of 0.6 are encoded again for scrapes. */
const policyByRelease = {
  '0.6': policies['dynamo-0.8'],
  '1.0': policies['dynamo-1.0'],
  '1.6': policies['dynamo-1.6'],
} as const;
/** How long the workers may take to leave in good order. */
const LEAVE_MS = 6_000;
const REGISTRATION = 'registration (etcd)';

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
 * @throws FleetPlanError, NatsOptionsError, EtcdOptionsError, ScopeError or ThresholdError, synchronously, for invalid
 *   options. TidemarkError, code `live-simulator`, for prefill workers of 0.6.
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
  const { seed, workers, prefillWorkers = 0, durationMs, release, closedLoop, scheduler = monotonicScheduler } = options;
  const { namespace = SIMULATION_NAMESPACE, model = 'simulated-model', files, force = false } = options;
  const { ttlSeconds = 10, rules } = options;
  if (release === '0.6' && prefillWorkers > 0)
    throw new TidemarkError(
      'live-simulator',
      'Workers of 0.6 have no roles: leave out the prefill workers, or simulate release 1.0 or 1.6.',
    );
  const nats = toNatsConnectionOptions(options.nats);
  const etcd = toEtcdOptions(options.etcd);
  const prefixes = discoveryPrefixes(namespace);
  const ranks = release === '0.6' ? 1 : options.ranks;
  const sizes = { seed, workers, prefillWorkers, ranks, durationMs };
  const plan = { ...sizes, policy: policyByRelease[release], startedAt: 0 };
  validateFleetPlan(plan);
  const truth = { keys: new MemoryKeys(), messages: new MemoryMessages() };
  const fleet = dynamoFleet({ discovery: truth.keys, events: truth.messages, scheduler });
  const pools = new FleetPools(fleet, { ...rules, scheduler });

  const check$ = defer(() => {
    if (force) return EMPTY;
    const { changes$, status$ } = watchPrefix({ scheduler, ...etcd, prefixes, source: REGISTRATION });
    const first$ = changes$.pipe(
      take(1),
      mergeMap(({ changes }) => {
        const foreign = foreignWorkers(changes, namespace);
        return foreign.size === 0
          ? EMPTY
          : throwError(() => new ForeignWorkersError(namespace, foreign));
      }),
      share(),
    );
    return merge(
      first$,
      status$.pipe(
        filter(({ state }) => state === 'down'),
        takeUntil(concat(first$, of(null))),
        map((status): SimulatorEvent => ({ kind: 'status', status })),
      ),
    );
  });

  const run = (end$: Observable<unknown>): Observable<SimulatorEvent> =>
    defer(() => {
      let isEnding = false;
      let published = 0;
      let busy: ReadonlySet<WorkerId> = new Set();
      let avoided: ReadonlySet<WorkerId> = busy;
      const registered = new Set<WorkerId>();
      const ids = new Map<WorkerId, WorkerId>();
      const registrations = new CommonStatus(REGISTRATION);
      const services = new CommonStatus('service');
      const router =
        closedLoop === undefined
          ? null
          : new RouterRun({ ...plan, ...closedLoop }, (simulated) => {
              const id = ids.get(simulated);
              return id !== undefined && avoided.has(id);
            });
      const over$ = end$.pipe(
        take(1),
        tap(() => (isEnding = true)),
        shareReplay({ bufferSize: 1, refCount: true }),
      );
      const linked$ = new ReplaySubject<void>(1);
      const outbox$ = new Subject<Message>();

      const handle = (event: LiveWorkerEvent, worker: SimulatedChange['worker'], life: object): SimulatorEvent[] => {
        if ('message' in event) {
          published += 1;
          truth.messages.publish(event.message.subject, event.message.data);
          outbox$.next(event.message);
          return [];
        }
        if ('service' in event) return services.update(life, event.service);
        const { state, workerId } = event.registration;
        const statuses = registrations.update(life, event.registration);
        if (workerId === null) return statuses;
        if (state === 'registered') ids.set(worker.workerId, workerId);
        // Workers that leave because the simulation ends still count in the result.
        if (event.keys.length > 0 && !(state === 'ended' && isEnding)) truth.keys.apply(event.keys);
        const isRegistered = registered.has(workerId);
        if (state === 'registered') registered.add(workerId);
        if (state === 'ended') registered.delete(workerId);
        if (registered.has(workerId) === isRegistered) return statuses;
        const change = isRegistered ? 'left' : 'registered';
        return [...statuses, { kind: 'worker', workerId, change, registered: registered.size }];
      };

      const changes$ = concat(
        defer(() => paced<SimulatedChange>(router?.changes() ?? waveChanges(plan), scheduler)),
        NEVER,
      ).pipe(takeUntil(over$));
      const workers$ = changes$.pipe(
        groupBy(({ worker }) => worker, {
          // A worker that comes back is a new one.
          duration: (life$) => life$.pipe(filter((change) => 'isPresent' in change && !change.isPresent)),
        }),
        mergeMap((life$) =>
          liveWorker(life$.key, life$.pipe(mergeMap((change) => ('load' in change ? [change.load] : []))), {
            ...{ etcd, nats, linked$, namespace, release, ttlSeconds, scheduler },
            model: { model, ...(files !== undefined && { files }) },
          }).pipe(mergeMap((event) => handle(event, life$.key, life$))),
        ),
        takeUntil(over$.pipe(delay(LEAVE_MS, scheduler))),
      );
      const messages$ = defer(() => {
        linked$.next();
        linked$.complete();
        return outbox$;
      });
      // Workers of 0.6 publish nothing.
      if (release === '0.6') {
        linked$.next();
        linked$.complete();
      }
      const publisher$ =
        release === '0.6'
          ? EMPTY
          : messages$.pipe(
              natsPublisher({ scheduler, ...nats }),
              map((status): SimulatorEvent => ({ kind: 'status', status })),
            );
      const busy$ = busyWorkers(pools).pipe(tap((set) => (busy = set)));
      const avoided$ = (closedLoop?.busy$ ?? busy$).pipe(tap((set) => (avoided = new Set(set))));
      const ended$ = defer(() =>
        of<SimulatorEvent>({
          ...{ kind: 'ended', published, busy: [...busy] },
          ...(router !== null && { requests: router.counts }),
        }),
      );
      const done$ = new Subject<void>();
      const life$ = concat(check$.pipe(takeUntil(over$)), workers$).pipe(finalize(() => done$.next()));
      const running = pools.run();
      // Subscribed first, so that `end$` has a subscriber from the start to the end.
      const besides$ = merge(over$, busy$, avoided$).pipe(ignoreElements());
      return concat(merge(merge(besides$, publisher$).pipe(takeUntil(done$)), life$), ended$).pipe(
        finalize(() => running.unsubscribe()),
      );
    });

  return { pools, run };
}
