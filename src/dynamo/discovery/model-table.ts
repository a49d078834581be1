import type {
  FleetModel,
  ModelPool,
  ModelReadiness,
  PoolName,
  WorkerRole,
} from '../../core/sources/worker-info.js';
import type { WorkerNeeds } from '../../wire/discovery/discovery-values.js';
import { poolPath } from '../../wire/endpoint-names.js';
import { type ServedModel, type WorkerSummary, poolsOfCard } from './worker-records.js';

/** The workers that serve one name with equal roles and needs at one endpoint: a worker set of a Dynamo frontend. */
interface WorkerSet {
  readonly pool: ModelPool;
  readonly path: string;
  /** `undefined` for a model; for a LoRA adapter the model that it belongs to. */
  readonly adapterOf: string | null | undefined;
  /** `null` if the cards do not say it. */
  readonly role: WorkerRole | null;
  readonly needs: WorkerNeeds;
  size: number;
  /** How many of its workers have an instance at the endpoint. */
  live: number;
}

/**
 * Counts the workers of all worker sets of a fleet, and derives its pools and models from them.
 *
 * 1. A change of a worker costs as much as the names that this worker serves. The pools and the models are derived when they
 *    are asked for, and only after a set was added or removed, or became live or not.
 * 2. A model is ready in a namespace as in the frontend of Dynamo 1.6. Each role of a registered card must have a worker with
 *    an instance, and the needs of each set with instances must be met by roles with instances. Workers of one role, other than
 *    aggregated ones, must be at one endpoint. A card that does not say what its worker does cannot be checked: then one
 *    worker with an instance is enough.
 */
export class ModelTable {
  private readonly sets = new Map<string, WorkerSet>();
  private hasChanged = false;
  private poolNames: ReadonlyMap<string, PoolName> = new Map();
  private fleetModels: readonly FleetModel[] = [];
  private modelsText = '[]';

  /** Replaces a worker. */
  replace(before: WorkerSummary | undefined, after: WorkerSummary | undefined): void {
    // What is added comes first, so that a set whose only worker is replaced does not change.
    this.count(after, 1);
    this.count(before, -1);
  }

  /** The pools that are judged, by path. The same map until a pool is added or removed. */
  pools(): ReadonlyMap<string, PoolName> {
    this.derive();
    return this.poolNames;
  }

  /** The models and adapters, sorted by name. The same list until something in it changes. */
  models(): readonly FleetModel[] {
    this.derive();
    return this.fleetModels;
  }

  private count(worker: WorkerSummary | undefined, by: 1 | -1): void {
    if (worker === undefined) return;
    for (const served of [...worker.cards, ...worker.adapters]) {
      const [pool] = poolsOfCard(served);
      if (pool === undefined) continue;
      const key = JSON.stringify([served.path, served.model, served.role, served.needs, served.adapterOf]);
      const set = this.sets.get(key) ?? this.addSet(key, pool, served);
      set.size += by;
      const wasLive = set.live > 0;
      if (worker.instances.has(served.path)) set.live += by;
      if (set.size === 0) this.sets.delete(key);
      this.hasChanged ||= set.size === 0 || set.live > 0 !== wasLive;
    }
  }

  private addSet(key: string, pool: ModelPool, { adapterOf, role, needs }: ServedModel): WorkerSet {
    const set = { pool, path: poolPath(pool), adapterOf, role, needs, size: 0, live: 0 };
    this.sets.set(key, set);
    this.hasChanged = true;
    return set;
  }

  private derive(): void {
    if (!this.hasChanged) return;
    this.hasChanged = false;
    const pools = judgedPools([...this.sets.values()]);
    const known = [...this.poolNames].filter(([path]) => pools.has(path));
    // A pool keeps its place as long as it exists.
    if (known.length !== this.poolNames.size || pools.size !== known.length)
      this.poolNames = new Map([...known, ...pools]);
    const models = modelsOf([...this.sets.values()]);
    const text = JSON.stringify(models);
    if (text === this.modelsText) return;
    this.modelsText = text;
    this.fleetModels = models;
  }
}

/** The pools of models. A LoRA adapter has no pool of its own, and encode workers are not judged. */
function judgedPools(sets: readonly WorkerSet[]): Map<string, PoolName> {
  return new Map(
    sets.flatMap(({ path, pool, adapterOf }) =>
      adapterOf !== undefined || pool.role === 'encode' ? [] : [[path, pool] as const],
    ),
  );
}

function modelsOf(sets: readonly WorkerSet[]): FleetModel[] {
  return [...groupedBy(sets, ({ pool }) => pool.model)].map(([name, own]) => {
    const isModel = own.some(({ adapterOf }) => adapterOf === undefined);
    const pools = groupedBy(own, ({ path }) => path);
    return {
      name,
      adapterOf: isModel ? null : (own.flatMap(({ adapterOf }) => adapterOf ?? []).sort()[0] ?? null),
      pools: [...pools.values()].flatMap(([set]) => set?.pool ?? []),
      readiness: [...groupedBy(own, ({ pool }) => pool.endpoint.namespace)].map(([namespace, there]) =>
        readinessOf(namespace, there),
      ),
    };
  });
}

/** Items by a text, sorted by it. */
function groupedBy<T>(items: readonly T[], textOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const text = textOf(item);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [item]);
    else group.push(item);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readinessOf(namespace: string, sets: readonly WorkerSet[]): ModelReadiness {
  const live = sets.filter((set) => set.live > 0);
  // Cards of releases before 1.6 do not say enough to be checked.
  if (sets.some(({ role }) => role === null)) return { namespace, ready: live.length > 0, missing: [] };
  const present = new Set(live.map(({ role }) => role));
  const unmet = live.filter(
    ({ needs }) => needs.length > 0 && !needs.some((all) => all.every((role) => present.has(role))),
  );
  const wanted = [...sets.flatMap(({ role }) => role ?? []), ...unmet.flatMap(({ needs }) => needs.flat())];
  const missing = [...new Set(wanted)].filter((role) => !present.has(role)).sort();
  const isClear = live.length > 0 && !hasRoleAtSeveralEndpoints(live);
  return { namespace, ready: isClear && missing.length === 0, missing };
}

/** Whether the frontend would have to choose an endpoint for a role. It does so only among aggregated workers. */
function hasRoleAtSeveralEndpoints(sets: readonly WorkerSet[]): boolean {
  const pathByRole = new Map<WorkerRole | null, string>();
  return sets.some(({ role, path }) => {
    const first = pathByRole.get(role) ?? path;
    pathByRole.set(role, first);
    return role !== 'aggregated' && first !== path;
  });
}
