import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { EndpointName, PoolName, WorkerInfo } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { DecodeError } from '../decode-error.js';
import { endpointPath, poolPath } from '../endpoint-names.js';
import { type DiscoveryChange, decodeDiscoveryRecord } from './discovery-record.js';

/** The record of one key: an instance or a model card of a worker at an endpoint. */
export type KnownRecord = KnownEndpoint & ({ readonly kind: 'instance' } | KnownCard);

interface KnownEndpoint {
  readonly workerId: WorkerId;
  readonly at: EndpointName;
  /** The path of `at`. */
  readonly path: string;
}

interface KnownCard {
  readonly kind: 'card';
  readonly model: string | null;
  /** The LoRA adapter; `null` for a base card. */
  readonly lora: string | null;
  readonly config: RuntimeConfig;
}

/** Decodes a written key. Returns `null` if it describes no worker, such as a card without an id or endpoint. */
export function readKnownRecord(
  change: DiscoveryChange,
): KnownRecord | null | { readonly error: DecodeError } {
  const record = decodeDiscoveryRecord(change);
  if ('error' in record) return record;
  if (record.kind !== 'instance' && record.kind !== 'model') return null;
  if (record.removed) return { error: { code: 'empty', message: 'the value is empty', offset: 0 } };

  const { namespace, component, endpoint, instanceId: workerId } = record;
  if (namespace === null || component === null || endpoint === null || workerId === null) return null;
  const at = { namespace, component, endpoint };
  const known = { workerId, at, path: endpointPath(at) };
  if (record.kind === 'instance') return { kind: 'instance', ...known };
  const { model, lora, runtimeConfig } = record;
  return { kind: 'card', ...known, model, lora, config: runtimeConfig };
}

/** All records of one worker, combined. */
export interface WorkerSummary {
  readonly info: WorkerInfo;
  /** The config of the worker as a whole; `null` if it has no base card. */
  readonly config: RuntimeConfig | null;
  /** By the path of the endpoint, sorted. */
  readonly endpoints: ReadonlyMap<string, WorkerAtEndpoint>;
}

/** A worker at one endpoint. */
export interface WorkerAtEndpoint {
  readonly at: EndpointName;
  readonly present: boolean;
  readonly config: RuntimeConfig | null;
  /** The model that it serves here, from the base card that counts; `null` without one. */
  readonly model: string | null;
}

type Card = Extract<KnownRecord, { kind: 'card' }>;

/**
 * Combines the records of a worker, regardless of the order in which they arrived. Among several base cards at one
 * endpoint, and among those of several endpoints, the card whose key sorts last counts.
 */
export function summarizeWorker(
  workerId: WorkerId,
  records: ReadonlyMap<string, KnownRecord>,
): WorkerSummary {
  const byPath = new Map<string, WorkerAtEndpoint>();
  const loras = new Set<string>();
  let counting: Card | undefined;
  for (const [, record] of inOrder(records)) {
    const { at, path } = record;
    const atEndpoint = byPath.get(path) ?? { at, present: false, config: null, model: null };
    if (record.kind === 'instance') {
      byPath.set(path, { ...atEndpoint, present: true });
    } else if (record.lora === null) {
      counting = record;
      byPath.set(path, { ...atEndpoint, config: record.config, model: record.model });
    } else {
      loras.add(record.lora);
      byPath.set(path, atEndpoint);
    }
  }
  const sorted = inOrder(byPath);
  const endpoints = sorted.map(([, { at }]) => at);
  const primary = counting?.at ?? endpoints[0] ?? NO_ENDPOINT;
  return {
    info: {
      workerId,
      ...primary,
      endpoints,
      model: counting?.model ?? null,
      loras: [...loras].sort(),
    },
    config: counting?.config ?? null,
    endpoints: new Map(sorted),
  };
}

/** For a worker without keys, which has no summary in practice. */
const NO_ENDPOINT: EndpointName = { namespace: '', component: '', endpoint: '' };

function inOrder<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Collects the differences between the summaries of workers before and after a batch. */
export class WorkerDifference {
  readonly configs = jsonReady(new Map<WorkerId, RuntimeConfig | null>());
  readonly endpoints = jsonReady(new Map<string, MutableEndpointDifference>());
  readonly pools = jsonReady(new Map<string, MutablePoolDifference>());
  readonly workers = jsonReady(new Map<WorkerId, WorkerInfo | null>());

  /** Adds one worker; `undefined` means that it has no keys. */
  add(id: WorkerId, before: WorkerSummary | undefined, after: WorkerSummary | undefined): void {
    const config = after?.config ?? null;
    if (!sameConfig(before?.config ?? null, config)) this.configs.set(id, config);
    const info = after?.info ?? null;
    if (!sameInfo(before?.info ?? null, info)) this.workers.set(id, info);

    for (const path of new Set([...(before?.endpoints.keys() ?? []), ...(after?.endpoints.keys() ?? [])])) {
      const [was, is] = [before?.endpoints.get(path), after?.endpoints.get(path)];
      const configHere = is?.config ?? null;
      if (!sameConfig(was?.config ?? null, configHere)) this.at(path).configs.set(id, configHere);
      const present = is?.present ?? false;
      if ((was?.present ?? false) !== present) this.at(path).instances.set(id, present);
      this.addToPools(id, was, is);
    }
  }

  /** A worker belongs to the pool of the model that its card at an endpoint names. */
  private addToPools(
    id: WorkerId,
    was: WorkerAtEndpoint | undefined,
    is: WorkerAtEndpoint | undefined,
  ): void {
    for (const name of poolsOf(was, is)) {
      const [before, after] = [whileInPool(was, name), whileInPool(is, name)];
      if (!sameConfig(before?.config ?? null, after?.config ?? null))
        this.inPool(name).configs.set(id, after?.config ?? null);
      const present = after?.present ?? false;
      if ((before?.present ?? false) !== present) this.inPool(name).instances.set(id, present);
    }
  }

  private inPool(name: PoolName): MutablePoolDifference {
    const path = poolPath(name);
    const known = this.pools.get(path) ?? { name, configs: new Map(), instances: new Map() };
    this.pools.set(path, known);
    return known;
  }

  private at(path: string): MutableEndpointDifference {
    const known = this.endpoints.get(path);
    if (known !== undefined) return known;
    const empty: MutableEndpointDifference = { configs: new Map(), instances: new Map() };
    this.endpoints.set(path, empty);
    return empty;
  }
}

interface MutableEndpointDifference {
  readonly configs: Map<WorkerId, RuntimeConfig | null>;
  readonly instances: Map<WorkerId, boolean>;
}

interface MutablePoolDifference extends MutableEndpointDifference {
  readonly name: PoolName;
}

/** The pools of a worker at an endpoint before and after. */
function poolsOf(was: WorkerAtEndpoint | undefined, is: WorkerAtEndpoint | undefined): PoolName[] {
  const [before, after] = [was, is].map((worker) =>
    worker === undefined || worker.model === null ? null : { model: worker.model, endpoint: worker.at },
  );
  if (before == null || before.model === after?.model) return after == null ? [] : [after];
  return after == null ? [before] : [before, after];
}

/** The worker if its card names the model of the pool. */
function whileInPool(
  worker: WorkerAtEndpoint | undefined,
  { model }: PoolName,
): WorkerAtEndpoint | undefined {
  return worker?.model === model ? worker : undefined;
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
  return a.length === b.length && a.every((item, index) => same(item, b[index] as T));
}
