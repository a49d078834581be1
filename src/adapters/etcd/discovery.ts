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
 * Problems with keys as problems of the monitor's kind, one for each key: a key that one batch wrote several times
 * counts so often, and its last error is told. The text has the key and the reason, both cut, and nothing of the
 * value.
 */
export function toUndecodableProblems(problems: readonly DiscoveryProblem[]): readonly Problem[] {
  const byKey = new Map<string, Problem>();
  for (const problem of problems) {
    const count = (byKey.get(problem.key)?.count ?? 0) + 1;
    byKey.set(problem.key, toUndecodableProblem(problem, count));
  }
  return [...byKey.values()];
}

function toUndecodableProblem({ key, error, workerId }: DiscoveryProblem, count: number): Problem {
  const shown = JSON.stringify(cut(key));
  const text =
    error.code === 'bad-key'
      ? `the key ${shown} has no shape that Dynamo writes, and says nothing: remove it, or correct who wrote it`
      : `the value of the key ${shown} cannot be read (${error.code}): ${cut(error.message)}; what it said last ` +
        'stays until it is written correctly or removed';
  return {
    code: 'undecodable',
    source: /^(?:v1\/)?instances\//.test(key) ? 'instances' : 'configs',
    text,
    ...(workerId !== null && { workerId }),
    count,
  };
}

function cut(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** One batch that a fold has taken. */
export interface FoldStep {
  /** What is known after it. */
  readonly fold: DiscoveryFold;
  /** What it changed. */
  readonly difference: DiscoveryDifference;
  /** Its changes belong together, and nobody may see a part of them. */
  readonly atOnce: boolean;
}

/**
 * One side of what discovery knows: the whole of it for the first step, then what each step changed.
 *
 * A step that changed one thing gives that; one that changed several gives each of them in turn, or, when they
 * belong together, the whole again. A step that changed nothing gives nothing.
 */
export function snapshotThenChanges<T>(
  whole: (fold: DiscoveryFold) => T,
  changes: (difference: DiscoveryDifference) => readonly T[],
): OperatorFunction<FoldStep, T> {
  return mergeMap(({ fold, difference, atOnce }, index) => {
    if (index === 0) return [whole(fold)];
    const changed = changes(difference);
    return atOnce && changed.length > 1 ? [whole(fold)] : changed;
  });
}

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
export function foldDiscovery(batches$: Observable<DiscoveryBatch>, namespace?: string): Discovery {
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
