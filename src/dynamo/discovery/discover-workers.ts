import {
  type Observable,
  type OperatorFunction,
  ReplaySubject,
  defer,
  distinctUntilChanged,
  map,
  merge,
  mergeMap,
  share,
} from 'rxjs';
import type { ConfigChange, InstanceChange } from '../../core/pipeline/monitor-sources.js';
import type { KeySource } from '../../core/sources/key-source.js';
import type { Problem } from '../../core/sources/problem.js';
import { type SourceStatus, packageProblems } from '../../core/sources/source-status.js';
import type { FleetModel, PoolName, WorkerChange } from '../../core/sources/worker-info.js';
import { trampoline } from '../../operators/trampoline.js';
import {
  type DiscoveryDifference,
  DiscoveryFold,
  type DiscoveryProblem,
  type PoolSelector,
} from './discovery-fold.js';
import { type FleetScope, parseScope } from './fleet-scope.js';
import { MAX_MODELS, MAX_NAMESPACES, fleetSizeProblems } from './fleet-size-problems.js';

const MAX_SHOWN = 200;

/**
 * Converts problems with keys into problems of a monitor, one per key: `count` is the number of failed writes in the
 * batch, and the text contains the last error. Key and reason are truncated, and the value is never included.
 */
function toUndecodableProblems(problems: readonly DiscoveryProblem[]): readonly Problem[] {
  const byKey = new Map<string, Problem>();
  for (const problem of problems) {
    const count = (byKey.get(problem.key)?.count ?? 0) + 1;
    byKey.set(problem.key, toUndecodableProblem(problem, count));
  }
  return [...byKey.values()];
}

function toUndecodableProblem({ key, error, workerId }: DiscoveryProblem, count: number): Problem {
  const shown = JSON.stringify(truncate(key));
  const text =
    error.code === 'bad-key'
      ? `the key ${shown} is not one that Dynamo writes, and is ignored: remove it, or correct its writer`
      : `the value of the key ${shown} cannot be decoded (${error.code}): ${truncate(error.message)}; its last value ` +
        'stays in force until the key is written correctly or removed';
  return {
    code: 'undecodable',
    source: /^(?:v1\/)?instances\//.test(key) ? 'instances' : 'configs',
    text,
    ...(workerId !== null && { workerId }),
    count,
  };
}

function truncate(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** The result of one batch. */
interface FoldStep {
  /** The state after the batch. */
  readonly fold: DiscoveryFold;
  /** The changes of the batch. */
  readonly difference: DiscoveryDifference;
  /** Whether its changes belong together, so that no subscriber may see only a part of them. */
  readonly atOnce: boolean;
}

/**
 * One aspect of discovery: emits a snapshot for the first step, and then the changes of each step one by one. If several
 * changes belong together, it emits one snapshot instead. A step without changes emits nothing.
 */
function snapshotThenChanges<T>(
  snapshot: (fold: DiscoveryFold) => T,
  changes: (difference: DiscoveryDifference) => readonly T[],
): OperatorFunction<FoldStep, T> {
  return mergeMap(({ fold, difference, atOnce }, index) => {
    if (index === 0) return [snapshot(fold)];
    const changed = changes(difference);
    return atOnce && changed.length > 1 ? [snapshot(fold)] : changed;
  });
}

/** Which workers of a fleet to discover. */
export interface DiscoveryOptions extends FleetScope {
  /** The maximum number of pools in `pools$`. 512 when absent. */
  readonly maxPools?: number | undefined;
}

const MAX_POOLS = 512;

/** The configs and instances of a pool: a snapshot each, then changes. */
export interface PoolMembership {
  readonly configs$: Observable<ConfigChange>;
  readonly instances$: Observable<InstanceChange>;
}

/** The workers of a fleet, as streams. See {@link discoverWorkers}. */
export interface Discovery {
  /** The configs and instances of a pool; of all workers when absent. */
  pool(selector?: PoolSelector): PoolMembership;
  /** The pools that have at least one worker with a card: the list, then again whenever a pool is added or removed. */
  readonly pools$: Observable<readonly PoolName[]>;
  /** The models and LoRA adapters, with their pools and their readiness: the list, then again whenever it changes. */
  readonly models$: Observable<readonly FleetModel[]>;
  /** The namespaces of all workers: the list, then again whenever it changes. */
  readonly namespaces$: Observable<readonly string[]>;
  /** The descriptions of all workers: a snapshot, then changes. */
  readonly workers$: Observable<WorkerChange>;
  /** The keys that cannot be decoded, and model cards that contradict each other or are not understood. */
  readonly problems$: Observable<Problem>;
  /** The status of the source. */
  readonly status$: Observable<SourceStatus>;
}

/**
 * The workers that the keys of a discovery backend describe, of any Dynamo release (0.4 to 1.6) or of several at once.
 *
 * 1. `pool(selector)` has the configs and the instances of the selected workers: by model, by role, and by endpoint, given
 *    as `component.endpoint`, `namespace.component.endpoint`, or an object with these names. A worker may have several cards,
 *    for several models and roles and at several endpoints, and a pool uses only its own card. The model may be a LoRA
 *    adapter. {@link DiscoveryFold} has the exact rules.
 * 2. `pools$` emits the list of all pools of models; a LoRA adapter has no pool in it, and a worker without a card belongs to
 *    none. `models$` emits every name that users can request, adapters too, with its pools and with its readiness in each
 *    namespace, as the frontends decide it: from the worker types and the needs in the cards.
 * 3. The outputs of a pool and `workers$` emit a snapshot first, even an empty one, as soon as the first list is complete,
 *    or at once for a late subscriber. Then they emit single changes. If history was lost, they emit one snapshot again, so
 *    that no worker flickers. A snapshot is a copy, as large as the pool.
 * 4. `problems$` emits a problem with the code `undecodable` for each key that cannot be decoded, beginning with those
 *    that exist at the moment of subscription. The last decoded value of such a key stays in force. Model cards with an
 *    unknown worker type (`unknown-role`) and model cards of one worker that differ in one pool (`contradictory-cards`) are
 *    reported with the number of workers, and again only when that number has doubled. So are publishers whose event channels
 *    are not on NATS (`loads-over-zmq`). A problem with a code
 *    of {@link PackageError} says that the package of the source cannot be used.
 * 5. `status$` is the status of the keys. It is `live` as soon as the keys that may be read are complete, with a reason that
 *    names the other prefixes. A fleet of releases 1.x in one namespace needs only `v1/instances/{namespace}/` and
 *    `v1/mdc/{namespace}/`; `models/`, which releases up to 0.5.1 share among all namespaces, may be refused.
 * 6. No output errors. All outputs share one subscription to the keys and one state, from the first subscription to the
 *    last.
 *
 * ```
 *   keys$      put card 7      put card 7, equal  (history lost: -7, put card 8, put card 9)
 *   configs$   {7: …}-----------------------------Map{8, 9}----------------------------------
 * ```
 *
 * 7. At most `maxPools` pools, 10 000 models and 512 namespaces are listed. Beyond that, the count is a problem
 *    (`too-many-pools`, `too-many-models`, `too-many-namespaces`), and again when it has doubled.
 * 8. A namespace also selects its generations, and nothing else. With the match `prefix` it selects every namespace that
 *    begins with its name; if they are not generations of one namespace, this is a problem (`several-namespaces`). An
 *    endpoint without a namespace is selected in all of them, and an endpoint with a namespace only there.
 *
 * @throws ScopeError or EndpointNameError for a scope with invalid names. `pool` throws EndpointNameError for an invalid
 *   endpoint or one outside the namespace.
 *
 * @example
 * ```ts
 * import { MemoryKeys } from 'tidemark';
 * import { discoverWorkers } from 'tidemark/dynamo';
 *
 * const keys = new MemoryKeys();
 * discoverWorkers(keys).pool({ endpoint: 'prod.backend.generate' }).instances$.subscribe(console.log);
 * keys.put('v1/instances/prod/backend/generate/7', new TextEncoder().encode('{}'));
 * // Logs: Set(0) {}
 * // Logs: { workerId: '7', present: true }
 * ```
 *
 * @see {@link dynamoFleet} for a whole fleet, {@link receiveLoads} for its loads
 */
export function discoverWorkers(keys: KeySource, options: DiscoveryOptions = {}): Discovery {
  const { maxPools = MAX_POOLS, ...scope } = options;
  // Throws for invalid names before anything starts.
  void new DiscoveryFold(scope);
  const { namespace, namespaceMatch } = parseScope(scope);
  const steps$ = defer(() => {
    const fold = new DiscoveryFold(scope);
    return keys.changes$.pipe(
      // A batch that a subscriber causes waits until all subscribers have seen the current one.
      trampoline(),
      map((batch): FoldStep => ({ fold, difference: fold.apply(batch), atOnce: batch.kind !== 'changes' })),
    );
    // The replayed step gives a late subscriber the fold, which has not changed since.
  }).pipe(share({ connector: () => new ReplaySubject(1) }));

  const changesOf = <T>(listOf: (fold: DiscoveryFold) => T): Observable<T> =>
    steps$.pipe(
      map(({ fold }) => listOf(fold)),
      distinctUntilChanged(),
    );
  const allNamespaces$ = changesOf((fold) => fold.namespaces());
  const allPools$ = changesOf((fold) => fold.pools());
  const allModels$ = changesOf((fold) => fold.models());

  return {
    namespaces$: allNamespaces$.pipe(map((names) => names.slice(0, MAX_NAMESPACES))),
    pools$: allPools$.pipe(map((pools) => [...pools.values()].slice(0, maxPools))),
    models$: allModels$.pipe(map((models) => models.slice(0, MAX_MODELS))),
    pool: (selector) => {
      void new DiscoveryFold(scope).members(selector);
      return {
        configs$: steps$.pipe(
          snapshotThenChanges<ConfigChange>(
            (fold) => fold.members(selector).configs,
            (difference) =>
              [...difference.in(selector).configs].map(([workerId, config]) => ({ workerId, config })),
          ),
        ),
        instances$: steps$.pipe(
          snapshotThenChanges<InstanceChange>(
            (fold) => fold.members(selector).instances,
            (difference) =>
              [...difference.in(selector).instances].map(([workerId, present]) => ({ workerId, present })),
          ),
        ),
      };
    },
    workers$: steps$.pipe(
      snapshotThenChanges<WorkerChange>(
        (fold) => fold.workers(),
        ({ workers }) => [...workers].map(([workerId, info]) => ({ workerId, info })),
      ),
    ),
    problems$: merge(
      steps$.pipe(
        mergeMap(({ fold, difference }, index) => [
          ...toUndecodableProblems(index === 0 ? fold.problems() : difference.problems),
          ...(index === 0 ? fold.fleetProblems() : difference.fleetProblems),
        ]),
      ),
      fleetSizeProblems(
        {
          pools$: allPools$.pipe(map(({ size }) => size)),
          models$: allModels$.pipe(map(({ length }) => length)),
          namespaces$: allNamespaces$,
        },
        maxPools,
        namespaceMatch === 'prefix' ? namespace : undefined,
      ),
      packageProblems(keys.status$, 'configs'),
    ),
    status$: keys.status$,
  };
}
