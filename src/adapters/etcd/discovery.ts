import {
  type Observable,
  type OperatorFunction,
  ReplaySubject,
  defer,
  distinctUntilChanged,
  map,
  mergeMap,
  share,
} from 'rxjs';
import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import type { ConfigChange, InstanceChange } from '../../core/pipeline/monitor-sources.js';
import type { Problem } from '../../core/sources/problem.js';
import type { PoolName, WorkerChange } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import { trampoline } from '../../operators/trampoline.js';
import {
  type DiscoveryBatch,
  type DiscoveryDifference,
  DiscoveryFold,
  type DiscoveryProblem,
} from '../../wire/discovery/discovery-fold.js';
import { type EndpointLike, endpointPath, parseEndpoint, poolPath } from '../../wire/endpoint-names.js';

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
export interface FoldStep {
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

/** The workers of a fleet in a discovery backend, as streams. {@link etcdDiscovery} describes them. */
export interface Discovery {
  /** The configs of all workers: a snapshot, then changes. */
  readonly configs$: Observable<ConfigChange>;
  /** The descriptions of all workers: a snapshot, then changes. */
  readonly workers$: Observable<WorkerChange>;
  /** The keys that cannot be decoded. */
  readonly problems$: Observable<Problem>;
  /** The configs at one endpoint. */
  configs(endpoint: EndpointLike): Observable<ConfigChange>;
  /** The instances at one endpoint. */
  instances(endpoint: EndpointLike): Observable<InstanceChange>;
  /** The pools that have at least one worker with a card. */
  readonly pools$: Observable<readonly PoolName[]>;
  /** The configs and instances of one pool. */
  pool(name: PoolName): PoolSources;
}

/** The sources of the monitor of one pool. */
export interface PoolSources {
  readonly configs$: Observable<ConfigChange>;
  readonly instances$: Observable<InstanceChange>;
}

/**
 * Folds batches of key changes from any discovery backend. All outputs share one subscription to the batches and one
 * state, which exist from the first subscription to the last.
 */
export function foldDiscovery(batches$: Observable<DiscoveryBatch>, namespace?: string): Discovery {
  const steps$ = defer(() => {
    const fold = new DiscoveryFold(namespace);
    return batches$.pipe(
      // A batch that a subscriber causes waits until all subscribers have seen the current one.
      trampoline(),
      map((batch): FoldStep => ({ fold, difference: fold.apply(batch), atOnce: batch.kind !== 'changes' })),
    );
    // The replayed step gives a late subscriber the fold, which has not changed since.
  }).pipe(share({ connector: () => new ReplaySubject(1) }));

  return {
    configs$: steps$.pipe(
      snapshotThenChanges<ConfigChange>(
        (fold) => fold.configs(),
        ({ configs }) => configChanges(configs),
      ),
    ),
    workers$: steps$.pipe(
      snapshotThenChanges<WorkerChange>(
        (fold) => fold.workers(),
        ({ workers }) => [...workers].map(([workerId, info]) => ({ workerId, info })),
      ),
    ),
    problems$: steps$.pipe(
      mergeMap(({ fold, difference }, index) =>
        toUndecodableProblems(index === 0 ? fold.problems() : difference.problems),
      ),
    ),
    configs: (given) => {
      const endpoint = parseEndpoint(given, namespace);
      const path = endpointPath(endpoint);
      return steps$.pipe(
        snapshotThenChanges<ConfigChange>(
          (fold) => fold.configs(endpoint),
          ({ endpoints }) => configChanges(endpoints.get(path)?.configs),
        ),
      );
    },
    instances: (given) => {
      const endpoint = parseEndpoint(given, namespace);
      const path = endpointPath(endpoint);
      return steps$.pipe(
        snapshotThenChanges<InstanceChange>(
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
          snapshotThenChanges<ConfigChange>(
            (fold) => fold.pool(name).configs,
            ({ pools }) => configChanges(pools.get(path)?.configs),
          ),
        ),
        instances$: steps$.pipe(
          snapshotThenChanges<InstanceChange>(
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
