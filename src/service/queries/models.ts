import {
  type FleetCounts,
  type FleetState,
  fleetStateOf,
  modelStateOf,
} from '../../core/judgement/fleet-state.js';
import type { FleetModel, ModelReadiness, WorkerRole } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { Pool, Pools } from '../../fleet/pools/pools.js';
import { poolPath } from '../../wire/endpoint-names.js';
import { NO_WORKERS_SECONDS, type PoolSummaries, sumCounts } from './pool-summary.js';

/** The workers of a name in one pool: all of them, or those that carry the model card of an adapter. */
export interface PoolPart {
  /** The name that users request. */
  readonly model: string;
  readonly pool: Pool;
  /** `null`: all workers of the pool. */
  readonly carriers: ReadonlySet<WorkerId> | null;
}

/** All workers of a pool. */
export function wholePool(pool: Pool): PoolPart {
  return { model: pool.name.model, pool, carriers: null };
}

/**
 * The workers of a model or adapter, by pool. An adapter that has no thresholds of its own has no pool of its own: its
 * workers are judged in the pools of its model.
 */
export function partsOf(
  pools: Pools,
  { name, adapterOf }: Pick<FleetModel, 'name' | 'adapterOf'>,
): PoolPart[] {
  const list = pools.list();
  const own = list.filter((pool) => pool.name.model === name).map(wholePool);
  if (own.length > 0 || adapterOf === null) return own;
  const carriers = pools.carriersOf(name);
  return list.flatMap((pool) => {
    const isPart =
      pool.name.model === adapterOf && [...carriers].some((id) => pool.monitor.stateOf(id) !== undefined);
    return isPart ? [{ model: name, pool, carriers }] : [];
  });
}

/** The workers of a model with one role. Encode workers are not judged. */
export interface RoleSummary {
  readonly role: WorkerRole;
  readonly state: FleetState | null;
  readonly workers: FleetCounts | null;
}

/** The state of a model or adapter, as in every route and server-sent event. */
export interface ModelSummary {
  readonly model: string;
  /** The model that it adapts; `null` for a model. */
  readonly adapterOf: string | null;
  readonly state: FleetState;
  /** When a caller should ask again; `null` if no caller has to wait. */
  readonly retryAfterSeconds: number | null;
  readonly roles: readonly RoleSummary[];
  /** Whether the workers in a namespace can serve the model. It says nothing about load. */
  readonly readiness: readonly ModelReadiness[];
}

/** Whether a decode pool of the model has no monitor, because the fleet has too many pools. */
function isUnjudged({ name, adapterOf, pools: own }: FleetModel, pools: Pools): boolean {
  const judged = new Set(pools.list().map((pool) => poolPath(pool.name)));
  return own.some(
    ({ role = 'decode', ...pool }) =>
      role === 'decode' && !judged.has(poolPath({ ...pool, model: adapterOf ?? name })),
  );
}

/** The state of a model or adapter: the worst one among the roles that it needs. */
export function summarizeModel(model: FleetModel, pools: Pools, summaries: PoolSummaries): ModelSummary {
  const parts = partsOf(pools, model).map((part) => summaries.summarize(part));
  const countsOf = (role: WorkerRole): FleetCounts | null => {
    const own = parts.filter((part) => part.role === role);
    return own.length === 0 ? null : sumCounts(own.map(({ workers }) => workers));
  };
  const counts = { decode: countsOf('decode'), prefill: countsOf('prefill') };
  const state =
    counts.decode === null && isUnjudged(model, pools) ? 'unknown' : modelStateOf(counts, pools.book.policy);
  const waits = parts.flatMap(({ state: own, retryAfterSeconds }) =>
    own === 'all-busy' ? (retryAfterSeconds ?? []) : [],
  );
  const roles = (['decode', 'prefill'] as const).flatMap((role): RoleSummary[] => {
    const workers = counts[role];
    return workers === null ? [] : [{ role, state: fleetStateOf(workers), workers }];
  });
  const hasEncode = model.pools.some(({ role }) => role === 'encode');
  return {
    model: model.name,
    adapterOf: model.adapterOf,
    state,
    retryAfterSeconds:
      state === 'all-busy' ? Math.min(...waits) : state === 'none' ? NO_WORKERS_SECONDS : null,
    roles: hasEncode ? [...roles, { role: 'encode', state: null, workers: null }] : roles,
    readiness: model.readiness,
  };
}

/**
 * The state of several models together. Models without workers count only when all are without. It is `partial` when some
 * workers are busy, `free` when none is and a model is free, and `unknown` before discovery has listed any.
 */
export function stateOfModels(states: readonly FleetState[], { isListed }: Pools): FleetState {
  if (states.length === 0) return isListed ? 'none' : 'unknown';
  const present = new Set(states.filter((state) => state !== 'none'));
  if (present.size <= 1) return [...present][0] ?? 'none';
  if (present.has('all-busy') || present.has('partial')) return 'partial';
  return 'free';
}
