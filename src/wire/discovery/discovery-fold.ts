import type { RuntimeConfig } from '../../core/events/fleet-event.js';
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
 * Changes of a discovery store that belong together. A `snapshot` is all there is and replaces what was known;
 * `changes` and a `resync` are what is different, and after a resync it may be much.
 */
export interface DiscoveryBatch {
  readonly kind: 'snapshot' | 'changes' | 'resync';
  readonly changes: readonly DiscoveryChange[];
}

/** What one batch changed. What is equal to what was known before is not in it. */
export interface DiscoveryDifference {
  /** Cards that count, new, changed, or (`null`) gone. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig | null>;
  /** By path of the endpoint, see {@link endpointPath}. */
  readonly endpoints: ReadonlyMap<string, EndpointDifference>;
  /** The same for the workers of one model at one endpoint, by path of the pool. */
  readonly pools: ReadonlyMap<string, PoolDifference>;
  /** Workers that are new, known better, or (`null`) gone: none of their keys is left. */
  readonly workers: ReadonlyMap<WorkerId, WorkerInfo | null>;
  /** Keys that were written and could not be read. */
  readonly problems: readonly DiscoveryProblem[];
}

/** What one batch changed at one endpoint. */
export interface EndpointDifference {
  /** Cards of this endpoint, new, changed, or (`null`) gone. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig | null>;
  /** Whether the worker is there now; only workers that came or went. */
  readonly instances: ReadonlyMap<WorkerId, boolean>;
}

/** What one batch changed in one pool. */
export interface PoolDifference extends EndpointDifference {
  readonly name: PoolName;
}

/** A key that could not be read, or its value. What it said last stays in force. */
export interface DiscoveryProblem {
  readonly key: string;
  readonly error: DecodeError;
  /** The worker it is of, `null` where that is not known. */
  readonly workerId: WorkerId | null;
}

interface EndpointState {
  readonly configs: Map<WorkerId, RuntimeConfig>;
  readonly instances: Set<WorkerId>;
}

/** Who is at which endpoint or in which pool, by its path, and with which card. Where nobody is takes no room. */
export class EndpointStates {
  private readonly states = new Map<string, EndpointState>();

  configs(path: string): ReadonlyMap<WorkerId, RuntimeConfig> {
    return new Map(this.states.get(path)?.configs);
  }

  instances(path: string): ReadonlySet<WorkerId> {
    return new Set(this.states.get(path)?.instances);
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

/** One worker that some key names. */
interface KnownWorker {
  readonly records: Map<string, KnownRecord>;
  summary: WorkerSummary | undefined;
}

/**
 * What the keys of a discovery store say about workers, kept up to date by batches of changes. It does no I/O, and
 * the store may be any: etcd, files, memory.
 *
 * 1. Every key counts for itself: a worker is at an endpoint as long as one key says so, in whichever layout.
 *    Removals are known by their key alone, also those of `models/{uuid}`.
 * 2. Only base cards say how large a worker is; cards of LoRA adapters change `loras` of its {@link WorkerInfo}.
 * 3. With base cards at several endpoints a worker has one configuration at each of them, and as a whole that of
 *    the card whose key sorts last (as JavaScript compares texts); so a card of release 0.6 or later wins over a
 *    model entry before it. The same decides between several base cards at one endpoint.
 * 4. A written key that cannot be read is a problem, and what it said last stays until it is written again or gone.
 * 5. A batch is one step: what it changed and changed back is no difference. A `snapshot` also removes what is not
 *    in it. What is equal to before is never a difference.
 * 6. Keys outside {@link discoveryPrefixes} are not looked at. A card without an id says nothing and is no problem.
 * 7. A change costs its bytes and what the other keys of the same worker say, whatever the size of the fleet. A
 *    card that declares many ranks is as large as any other.
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
 * @see {@link decodeDiscoveryRecord} for one key by itself
 */
export class DiscoveryFold {
  private readonly prefixes: readonly string[];
  private readonly owners = new Map<string, WorkerId>();
  private readonly known = new Map<WorkerId, KnownWorker>();
  private readonly endpoints = new EndpointStates();
  private readonly poolStates = new EndpointStates();
  private poolNames: ReadonlyMap<string, PoolName> = new Map();
  private readonly unread = new Map<string, DiscoveryProblem>();

  /**
   * @param namespace the one whose workers are wanted; absent: all
   * @throws ScopeError for a namespace that is empty or holds a slash.
   */
  constructor(private readonly namespace?: string) {
    this.prefixes = discoveryPrefixes(namespace);
  }

  /** Takes a batch and says what it changed. */
  apply({ kind, changes }: DiscoveryBatch): DiscoveryDifference {
    const touched = new Set<WorkerId>();
    const problems: DiscoveryProblem[] = [];
    const missing = new Set(kind === 'snapshot' ? [...this.owners.keys(), ...this.unread.keys()] : []);
    for (const change of changes) {
      const problem = this.take(change, touched);
      if (problem !== null) problems.push(problem);
      if (change.value !== undefined) missing.delete(change.key);
    }
    for (const key of missing) this.take({ key }, touched);
    return { ...this.settle(touched), problems };
  }

  /** The configurations of all workers as a whole, or of those that have a card at an endpoint. A copy. */
  configs(endpoint?: EndpointName): ReadonlyMap<WorkerId, RuntimeConfig> {
    if (endpoint !== undefined) return this.endpoints.configs(endpointPath(endpoint));
    const configs = new Map<WorkerId, RuntimeConfig>();
    for (const [id, { summary }] of this.known) if (summary?.config != null) configs.set(id, summary.config);
    return configs;
  }

  /** The workers that are present at an endpoint. A copy. */
  instances(endpoint: EndpointName): ReadonlySet<WorkerId> {
    return this.endpoints.instances(endpointPath(endpoint));
  }

  /** Which pools there are, by path: each has a worker with a card. The same map until one comes or goes. */
  pools(): ReadonlyMap<string, PoolName> {
    return this.poolNames;
  }

  /** The cards and the instances of one pool. Copies. */
  pool(name: PoolName): {
    readonly configs: ReadonlyMap<WorkerId, RuntimeConfig>;
    readonly instances: ReadonlySet<WorkerId>;
  } {
    const path = poolPath(name);
    return { configs: this.poolStates.configs(path), instances: this.poolStates.instances(path) };
  }

  /** All workers that some key names. A copy. */
  workers(): ReadonlyMap<WorkerId, WorkerInfo> {
    const workers = new Map<WorkerId, WorkerInfo>();
    for (const [id, { summary }] of this.known) if (summary !== undefined) workers.set(id, summary.info);
    return workers;
  }

  /** The keys that could not be read when they were written last. A copy. */
  problems(): readonly DiscoveryProblem[] {
    return [...this.unread.values()];
  }

  private take(change: DiscoveryChange, touched: Set<WorkerId>): DiscoveryProblem | null {
    const { key, value, lease } = change;
    if (!this.prefixes.some((prefix) => key.startsWith(prefix))) return null;
    const record = value === undefined ? null : readKnownRecord({ key, value, lease });
    if (record !== null && 'error' in record) {
      const problem = { key, error: record.error, workerId: this.owners.get(key) ?? idInKey(key) };
      this.unread.set(key, problem);
      return problem;
    }
    this.unread.delete(key);
    const foreign = this.namespace !== undefined && record?.at.namespace !== this.namespace;
    this.put(key, foreign ? null : record, touched);
    return null;
  }

  /** What a key says from now on; `null`: nothing. */
  private put(key: string, record: KnownRecord | null, touched: Set<WorkerId>): void {
    const owner = this.owners.get(key);
    if (owner !== undefined) {
      this.known.get(owner)?.records.delete(key);
      this.owners.delete(key);
      touched.add(owner);
    }
    if (record === null) return;
    const { workerId } = record;
    const worker = this.known.get(workerId) ?? { records: new Map(), summary: undefined };
    this.known.set(workerId, worker);
    worker.records.set(key, record);
    this.owners.set(key, workerId);
    touched.add(workerId);
  }

  /** Looks at every touched worker once, after the whole batch. */
  private settle(touched: ReadonlySet<WorkerId>): WorkerDifference {
    const difference = new WorkerDifference();
    for (const id of touched) {
      const worker = this.known.get(id);
      if (worker === undefined) continue;
      const before = worker.summary;
      worker.summary = worker.records.size === 0 ? undefined : summarizeWorker(id, worker.records);
      if (worker.summary === undefined) this.known.delete(id);
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
