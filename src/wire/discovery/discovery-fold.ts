import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { EndpointName, PoolName, WorkerInfo } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { DecodeError } from '../decode-error.js';
import { endpointPath, poolPath } from '../endpoint-names.js';
import { discoveryPrefixes, parseDiscoveryKey } from './discovery-keys.js';
import type { DiscoveryChange } from './discovery-record.js';
import {
  type KnownRecord,
  WorkerDifference,
  type WorkerSummary,
  readKnownRecord,
  summarizeWorker,
} from './worker-records.js';

/**
 * Changes of a discovery backend that belong together. A `snapshot` contains every key and replaces what was known.
 * `changes` and a `resync` contain only differences; those of a resync may be many.
 */
export interface DiscoveryBatch {
  readonly kind: 'snapshot' | 'changes' | 'resync';
  readonly changes: readonly DiscoveryChange[];
}

/** What one batch changed. A value that equals the known one is not included. */
export interface DiscoveryDifference {
  /** Configs of workers that are new, changed, or (`null`) removed. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig | null>;
  /** By the path of the endpoint, see {@link endpointPath}. */
  readonly endpoints: ReadonlyMap<string, EndpointDifference>;
  /** By the path of the pool. */
  readonly pools: ReadonlyMap<string, PoolDifference>;
  /** Workers that are new, changed, or (`null`) gone because none of their keys is left. */
  readonly workers: ReadonlyMap<WorkerId, WorkerInfo | null>;
  /** Keys that were written and could not be decoded. */
  readonly problems: readonly DiscoveryProblem[];
}

/** What one batch changed at one endpoint. */
export interface EndpointDifference {
  /** Configs at this endpoint that are new, changed, or (`null`) removed. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig | null>;
  /** Whether the worker is present now; only workers whose presence changed. */
  readonly instances: ReadonlyMap<WorkerId, boolean>;
}

/** What one batch changed in one pool. */
export interface PoolDifference extends EndpointDifference {
  readonly name: PoolName;
}

/** A key that could not be decoded, or whose value could not. The last decoded value stays in force. */
export interface DiscoveryProblem {
  readonly key: string;
  readonly error: DecodeError;
  /** The worker of the key; `null` if unknown. */
  readonly workerId: WorkerId | null;
}

interface EndpointState {
  readonly configs: Map<WorkerId, RuntimeConfig>;
  readonly instances: Set<WorkerId>;
}

/** The instances and configs at each endpoint or in each pool, by path. Empty endpoints are not stored. */
class EndpointStates {
  private readonly states = new Map<string, EndpointState>();

  configs(path: string): ReadonlyMap<WorkerId, RuntimeConfig> {
    return jsonReady(new Map(this.states.get(path)?.configs));
  }

  instances(path: string): ReadonlySet<WorkerId> {
    return jsonReady(new Set(this.states.get(path)?.instances));
  }

  has(path: string): boolean {
    return this.states.has(path);
  }

  apply(differences: ReadonlyMap<string, EndpointDifference>): void {
    for (const [path, { configs, instances }] of differences) {
      const state = this.states.get(path) ?? { configs: new Map(), instances: new Set() };
      for (const [id, config] of configs) {
        if (config === null) state.configs.delete(id);
        else state.configs.set(id, config);
      }
      for (const [id, present] of instances) {
        if (present) state.instances.add(id);
        else state.instances.delete(id);
      }
      if (state.configs.size === 0 && state.instances.size === 0) this.states.delete(path);
      else this.states.set(path, state);
    }
  }
}

/** One worker that at least one key names. */
interface KnownWorker {
  readonly records: Map<string, KnownRecord>;
  summary: WorkerSummary | undefined;
}

/**
 * Derives workers from the keys of a discovery backend, one batch of changes at a time. It does no I/O and works
 * with any backend.
 *
 * 1. Each key counts on its own: a worker is at an endpoint as long as at least one key of any layout names it there.
 *    A removal needs only the key, also for `models/{uuid}`.
 * 2. Only base cards describe the size of a worker. LoRA cards change only `loras` of its {@link WorkerInfo}.
 * 3. A worker with base cards at several endpoints has one config per endpoint. Its config as a whole comes from the
 *    card whose key sorts last (in the order of JavaScript strings), so a card of release 0.6 or later wins over an
 *    older model entry. The same rule decides between several base cards at one endpoint.
 * 4. A key that cannot be decoded is a problem. Its last decoded value stays until the key is written again or removed.
 * 5. A batch is one step: a change that is undone within the batch is not a difference. A `snapshot` also removes every
 *    key that it does not contain.
 * 6. Keys outside {@link discoveryPrefixes} are ignored. A card without an id is ignored and is not a problem.
 * 7. The cost of a change depends on its bytes and on the other keys of the same worker, not on the size of the fleet
 *    or on the number of declared ranks.
 *
 * @example
 * ```ts
 * import { DiscoveryFold } from 'tidemark/wire';
 *
 * const key = 'v1/mdc/prod/backend/generate/694d988806b92e39';
 * const value = new TextEncoder().encode('{"runtime_config":{"total_kv_blocks":100}}');
 * const fold = new DiscoveryFold('prod');
 * fold.apply({ kind: 'snapshot', changes: [{ key, value }] });
 * console.log(fold.configs());
 * console.log(fold.apply({ kind: 'changes', changes: [{ key }] }).configs);
 * // Logs: Map(1) { '7587888657184927289' => { totalKvBlocks: 100 } }
 * // Logs: Map(1) { '7587888657184927289' => null }
 * ```
 *
 * @see {@link decodeDiscoveryRecord} for a single key
 */
export class DiscoveryFold {
  private readonly prefixes: readonly string[];
  private readonly owners = new Map<string, WorkerId>();
  private readonly workersById = new Map<WorkerId, KnownWorker>();
  private readonly endpoints = new EndpointStates();
  private readonly poolStates = new EndpointStates();
  private poolNames: ReadonlyMap<string, PoolName> = new Map();
  private readonly unreadKeys = new Map<string, DiscoveryProblem>();

  /**
   * @param namespace only workers of this namespace; all if absent
   * @throws ScopeError if the namespace is empty or contains a slash.
   */
  constructor(private readonly namespace?: string) {
    this.prefixes = discoveryPrefixes(namespace);
  }

  /** Applies a batch and returns what it changed. */
  apply({ kind, changes }: DiscoveryBatch): DiscoveryDifference {
    const touched = new Set<WorkerId>();
    const problems: DiscoveryProblem[] = [];
    const missing = new Set(kind === 'snapshot' ? [...this.owners.keys(), ...this.unreadKeys.keys()] : []);
    for (const change of changes) {
      const problem = this.applyChange(change, touched);
      if (problem !== null) problems.push(problem);
      if (change.value !== undefined) missing.delete(change.key);
    }
    for (const key of missing) this.applyChange({ key }, touched);
    return { ...this.collectDifference(touched), problems };
  }

  /** The configs of all workers, or those at one endpoint. A copy. */
  configs(endpoint?: EndpointName): ReadonlyMap<WorkerId, RuntimeConfig> {
    if (endpoint !== undefined) return this.endpoints.configs(endpointPath(endpoint));
    const configs = new Map<WorkerId, RuntimeConfig>();
    for (const [id, { summary }] of this.workersById)
      if (summary?.config != null) configs.set(id, summary.config);
    return jsonReady(configs);
  }

  /** The instances at an endpoint. A copy. */
  instances(endpoint: EndpointName): ReadonlySet<WorkerId> {
    return this.endpoints.instances(endpointPath(endpoint));
  }

  /** The pools that have at least one worker with a card, by path. The same map until a pool is added or removed. */
  pools(): ReadonlyMap<string, PoolName> {
    return this.poolNames;
  }

  /** The configs and instances of one pool. Copies. */
  pool(name: PoolName): {
    readonly configs: ReadonlyMap<WorkerId, RuntimeConfig>;
    readonly instances: ReadonlySet<WorkerId>;
  } {
    const path = poolPath(name);
    return { configs: this.poolStates.configs(path), instances: this.poolStates.instances(path) };
  }

  /** All workers that at least one key names. A copy. */
  workers(): ReadonlyMap<WorkerId, WorkerInfo> {
    const workers = new Map<WorkerId, WorkerInfo>();
    for (const [id, { summary }] of this.workersById)
      if (summary !== undefined) workers.set(id, summary.info);
    return jsonReady(workers);
  }

  /** The keys whose current value could not be decoded. A copy. */
  problems(): readonly DiscoveryProblem[] {
    return [...this.unreadKeys.values()];
  }

  private applyChange(change: DiscoveryChange, touched: Set<WorkerId>): DiscoveryProblem | null {
    const { key, value, lease } = change;
    if (!this.prefixes.some((prefix) => key.startsWith(prefix))) return null;
    const record = value === undefined ? null : readKnownRecord({ key, value, lease });
    if (record !== null && 'error' in record) {
      const problem = { key, error: record.error, workerId: this.owners.get(key) ?? idInKey(key) };
      this.unreadKeys.set(key, problem);
      return problem;
    }
    this.unreadKeys.delete(key);
    const foreign = this.namespace !== undefined && record?.at.namespace !== this.namespace;
    this.setRecord(key, foreign ? null : record, touched);
    return null;
  }

  /** Replaces the record of a key; `null` removes it. */
  private setRecord(key: string, record: KnownRecord | null, touched: Set<WorkerId>): void {
    const owner = this.owners.get(key);
    if (owner !== undefined) {
      this.workersById.get(owner)?.records.delete(key);
      this.owners.delete(key);
      touched.add(owner);
    }
    if (record === null) return;
    const { workerId } = record;
    const worker = this.workersById.get(workerId) ?? { records: new Map(), summary: undefined };
    this.workersById.set(workerId, worker);
    worker.records.set(key, record);
    this.owners.set(key, workerId);
    touched.add(workerId);
  }

  /** Compares every touched worker once, after the whole batch. */
  private collectDifference(touched: ReadonlySet<WorkerId>): WorkerDifference {
    const difference = new WorkerDifference();
    for (const id of touched) {
      const worker = this.workersById.get(id);
      if (worker === undefined) continue;
      const before = worker.summary;
      worker.summary = worker.records.size === 0 ? undefined : summarizeWorker(id, worker.records);
      if (worker.summary === undefined) this.workersById.delete(id);
      difference.add(id, before, worker.summary);
    }
    this.endpoints.apply(difference.endpoints);
    this.poolStates.apply(difference.pools);
    const names = new Map(this.poolNames);
    for (const [path, { name }] of difference.pools) {
      if (this.poolStates.has(path)) names.set(path, names.get(path) ?? name);
      else names.delete(path);
    }
    if (!sameKeys(names, this.poolNames)) this.poolNames = names;
    return difference;
  }
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}

function idInKey(text: string): WorkerId | null {
  const key = parseDiscoveryKey(text);
  return 'instanceId' in key ? key.instanceId : null;
}
