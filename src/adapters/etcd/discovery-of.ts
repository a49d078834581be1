import { defer, distinctUntilChanged, map, mergeMap, ReplaySubject, share, type Observable } from 'rxjs';
import type { ConfigChange, InstanceChange } from '../../core/load-monitor/monitor-sources.js';
import type { PoolName } from '../../core/pool-name.js';
import type { Problem } from '../../core/problem.js';
import type { RuntimeConfig } from '../../core/runtime-config.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { WorkerChange } from '../../core/worker-info.js';
import { trampoline } from '../../operators/trampoline.js';
import type { DiscoveryBatch } from '../../wire/discovery-change.js';
import { DiscoveryFold } from '../../wire/discovery-fold.js';
import { endpointOf, type EndpointLike } from '../../wire/endpoint-of.js';
import { endpointPath } from '../../wire/endpoint-path.js';
import { poolPath } from '../../wire/pool-path.js';
import { undecodableProblems } from './undecodable-problem.js';
import { wholeThenChanges, type FoldStep } from './whole-then-changes.js';

/** What the keys of a discovery store say of a fleet, as streams. See {@link etcdDiscovery} for what they give. */
export interface Discovery {
  readonly configs$: Observable<ConfigChange>;
  readonly workers$: Observable<WorkerChange>;
  readonly problems$: Observable<Problem>;
  configs(endpoint: EndpointLike): Observable<ConfigChange>;
  instances(endpoint: EndpointLike): Observable<InstanceChange>;
  /** Which pools there are: the models that have a worker with a card, each at its endpoint. */
  readonly pools$: Observable<readonly PoolName[]>;
  /** The cards and instances of one pool only. */
  pool(name: PoolName): PoolSources;
}

/** What a monitor of one pool takes from discovery. */
export interface PoolSources {
  readonly configs$: Observable<ConfigChange>;
  readonly instances$: Observable<InstanceChange>;
}

/**
 * Folds batches of key changes, whatever store they come from. All outputs share one subscription to the batches
 * and one state, made at the first subscription and dropped with the last.
 */
export function discoveryOf(batches$: Observable<DiscoveryBatch>, namespace?: string): Discovery {
  const steps$ = defer(() => {
    const fold = new DiscoveryFold(namespace);
    return batches$.pipe(
      // A batch that a subscriber causes waits until all of them have seen the present one.
      trampoline(),
      map((batch): FoldStep => ({ fold, difference: fold.apply(batch), atOnce: batch.kind !== 'changes' })),
    );
    // The last step again brings a late subscriber the fold, which has not moved on since.
  }).pipe(share({ connector: () => new ReplaySubject(1) }));

  return {
    configs$: steps$.pipe(
      wholeThenChanges<ConfigChange>(
        (fold) => fold.configs(),
        ({ configs }) => configChanges(configs),
      ),
    ),
    workers$: steps$.pipe(
      wholeThenChanges<WorkerChange>(
        (fold) => fold.workers(),
        ({ workers }) => [...workers].map(([workerId, info]) => ({ workerId, info })),
      ),
    ),
    problems$: steps$.pipe(
      mergeMap(({ fold, difference }, index) =>
        undecodableProblems(index === 0 ? fold.problems() : difference.problems),
      ),
    ),
    configs: (given) => {
      const endpoint = endpointOf(given, namespace);
      const path = endpointPath(endpoint);
      return steps$.pipe(
        wholeThenChanges<ConfigChange>(
          (fold) => fold.configs(endpoint),
          ({ endpoints }) => configChanges(endpoints.get(path)?.configs),
        ),
      );
    },
    instances: (given) => {
      const endpoint = endpointOf(given, namespace);
      const path = endpointPath(endpoint);
      return steps$.pipe(
        wholeThenChanges<InstanceChange>(
          (fold) => fold.instances(endpoint),
          ({ endpoints }) => instanceChanges(endpoints.get(path)?.instances),
        ),
      );
    },
    pools$: steps$.pipe(
      map(({ fold }) => fold.pools()),
      distinctUntilChanged(),
      map((pools) => [...pools.values()]),
    ),
    pool: (name) => {
      const path = poolPath(name);
      return {
        configs$: steps$.pipe(
          wholeThenChanges<ConfigChange>(
            (fold) => fold.pool(name).configs,
            ({ pools }) => configChanges(pools.get(path)?.configs),
          ),
        ),
        instances$: steps$.pipe(
          wholeThenChanges<InstanceChange>(
            (fold) => fold.pool(name).instances,
            ({ pools }) => instanceChanges(pools.get(path)?.instances),
          ),
        ),
      };
    },
  };
}

function configChanges(configs?: ReadonlyMap<WorkerId, RuntimeConfig | null>): ConfigChange[] {
  return [...(configs ?? [])].map(([workerId, config]) => ({ workerId, config }));
}

function instanceChanges(instances?: ReadonlyMap<WorkerId, boolean>): InstanceChange[] {
  return [...(instances ?? [])].map(([workerId, present]) => ({ workerId, present }));
}
