import type { EndpointName } from '../core/endpoint-name.js';
import type { PoolName } from '../core/pool-name.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import type { WorkerInfo } from '../core/worker-info.js';
import { poolPath } from './pool-path.js';
import type { WorkerPlace, WorkerView } from './worker-view.js';

/** Collects what is different between the views of workers before and after a batch. */
export class ViewDifference {
  readonly configs = new Map<WorkerId, RuntimeConfig | null>();
  readonly endpoints = new Map<string, PlaceDifference>();
  readonly pools = new Map<string, NamedDifference>();
  readonly workers = new Map<WorkerId, WorkerInfo | null>();

  /** Adds one worker; `undefined` is one without any key. */
  add(id: WorkerId, before: WorkerView | undefined, after: WorkerView | undefined): void {
    const config = after?.config ?? null;
    if (!sameConfig(before?.config ?? null, config)) this.configs.set(id, config);
    const info = after?.info ?? null;
    if (!sameInfo(before?.info ?? null, info)) this.workers.set(id, info);

    for (const path of new Set([...(before?.places.keys() ?? []), ...(after?.places.keys() ?? [])])) {
      const [was, is] = [before?.places.get(path), after?.places.get(path)];
      const configHere = is?.config ?? null;
      if (!sameConfig(was?.config ?? null, configHere)) this.at(path).configs.set(id, configHere);
      const present = is?.present ?? false;
      if ((was?.present ?? false) !== present) this.at(path).instances.set(id, present);
      this.addToPools(id, was, is);
    }
  }

  /** A worker is in the pool of the model that its card at an endpoint names. */
  private addToPools(id: WorkerId, was: WorkerPlace | undefined, is: WorkerPlace | undefined): void {
    for (const name of poolsOf(was, is)) {
      const [before, after] = [inPool(was, name), inPool(is, name)];
      if (!sameConfig(before?.config ?? null, after?.config ?? null))
        this.inPool(name).configs.set(id, after?.config ?? null);
      const present = after?.present ?? false;
      if ((before?.present ?? false) !== present) this.inPool(name).instances.set(id, present);
    }
  }

  private inPool(name: PoolName): NamedDifference {
    const path = poolPath(name);
    const known = this.pools.get(path) ?? { name, configs: new Map(), instances: new Map() };
    this.pools.set(path, known);
    return known;
  }

  private at(path: string): PlaceDifference {
    const known = this.endpoints.get(path);
    if (known !== undefined) return known;
    const empty: PlaceDifference = { configs: new Map(), instances: new Map() };
    this.endpoints.set(path, empty);
    return empty;
  }
}

interface PlaceDifference {
  readonly configs: Map<WorkerId, RuntimeConfig | null>;
  readonly instances: Map<WorkerId, boolean>;
}

interface NamedDifference extends PlaceDifference {
  readonly name: PoolName;
}

/** The pools that a place is in before or after. */
function poolsOf(was: WorkerPlace | undefined, is: WorkerPlace | undefined): PoolName[] {
  const [before, after] = [was, is].map((place) =>
    place === undefined || place.model === null ? null : { model: place.model, endpoint: place.at },
  );
  if (before == null || before.model === after?.model) return after == null ? [] : [after];
  return after == null ? [before] : [before, after];
}

/** A place as long as it is in a pool. */
function inPool(place: WorkerPlace | undefined, { model }: PoolName): WorkerPlace | undefined {
  return place?.model === model ? place : undefined;
}

function sameConfig(a: RuntimeConfig | null, b: RuntimeConfig | null): boolean {
  return (
    a === b ||
    (a !== null &&
      b !== null &&
      a.totalKvBlocks === b.totalKvBlocks &&
      a.maxNumBatchedTokens === b.maxNumBatchedTokens &&
      a.dataParallelStartRank === b.dataParallelStartRank &&
      a.dataParallelSize === b.dataParallelSize)
  );
}

function sameInfo(a: WorkerInfo | null, b: WorkerInfo | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.model === b.model &&
    sameEndpoint(a, b) &&
    sameList(a.loras, b.loras, Object.is) &&
    sameList(a.endpoints, b.endpoints, sameEndpoint)
  );
}

function sameEndpoint(a: EndpointName, b: EndpointName): boolean {
  return a.namespace === b.namespace && a.component === b.component && a.endpoint === b.endpoint;
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((item, at) => same(item, b[at] as T));
}
