import { type FleetCounts, type FleetState, fleetStateOf } from '../../core/judgement/fleet-state.js';
import type { Role } from '../../core/events/fleet-event.js';
import type { Pools } from '../../fleet/pools/pools.js';
import {
  type ModelSummary,
  type PoolPart,
  partsOf,
  stateOfModels,
  summarizeModel,
  wholePool,
} from './models.js';
import {
  NO_WORKERS_SECONDS,
  type PoolDescription,
  type PoolSummaries,
  poolLabel,
  sumCounts,
} from './pool-summary.js';

/** Which workers a query is about. An absent member selects all. */
export interface PoolQuery {
  /** A model or an adapter. */
  readonly model?: string | undefined;
  readonly role?: Role | undefined;
  /** `namespace.component.endpoint`. */
  readonly endpoint?: string | undefined;
}

/** The state of the selected workers, and of each model and pool. */
export interface BusyReport {
  readonly state: FleetState;
  readonly retryAfterSeconds: number | null;
  readonly workers: FleetCounts;
  readonly models: readonly ModelSummary[];
  readonly pools: readonly PoolDescription[];
}

/** The selected workers, by pool. Without a model, every pool is selected once. */
export function selectedParts(pools: Pools, { model, role, endpoint }: PoolQuery): PoolPart[] {
  const known = pools.models().filter(({ name }) => name === model);
  const parts =
    model === undefined
      ? pools.list().map(wholePool)
      : (known.length > 0 ? known : [{ name: model, adapterOf: null }]).flatMap((name) =>
          partsOf(pools, name),
        );
  return parts.filter(({ pool }) => {
    const label = poolLabel(pool);
    return (
      (role === undefined || label.role === role) && (endpoint === undefined || label.endpoint === endpoint)
    );
  });
}

/**
 * The state of the selected workers, and when a caller should ask again (`null`: no caller has to wait). It is that of the
 * model, or of the models together; with a role or an endpoint, that of the selected workers alone.
 */
export function busyReport(pools: Pools, query: PoolQuery, summaries: PoolSummaries): BusyReport {
  const described = selectedParts(pools, query).map((part) => summaries.describe(part));
  const models = pools
    .models()
    .filter(({ name }) => query.model === undefined || name === query.model)
    .map((model) => summarizeModel(model, pools, summaries));
  const workers = sumCounts(described.map((pool) => pool.workers));
  const isNarrowed = query.role !== undefined || query.endpoint !== undefined;
  const state = isNarrowed
    ? fleetStateOf(workers)
    : stateOfModels(
        models.map((model) => model.state),
        pools,
      );
  const waits = (isNarrowed ? described : models).flatMap(({ state: own, retryAfterSeconds }) =>
    own === state ? (retryAfterSeconds ?? []) : [],
  );
  return {
    state,
    retryAfterSeconds: waits.length > 0 ? Math.min(...waits) : state === 'none' ? NO_WORKERS_SECONDS : null,
    workers,
    models,
    pools: described,
  };
}
