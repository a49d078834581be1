import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { KeyBatch, KeyChange } from '../../core/sources/key-source.js';
import type { Problem } from '../../core/sources/problem.js';
import type { FleetModel, PoolName, WorkerInfo } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { DecodeError } from '../../wire/decode-error.js';
import { type EndpointLike, endpointPath, hasNamespace } from '../../wire/endpoint-names.js';
import { CardProblems } from './card-problems.js';
import { discoveryPrefixes, eventNamespace, namespaceInKey, parseDiscoveryKey } from './discovery-keys.js';
import { type FleetScope, type ParsedScope, isEndpoint, parseEndpointIn, parseScope } from './fleet-scope.js';
import { selectsNamespace } from './namespaces.js';
import { LoadChannels } from './load-channels.js';
import { ModelTable } from './model-table.js';
import {
  type KnownRecord,
  type Selection,
  type WorkerSummary,
  membershipOf,
  readKnownRecord,
  sameConfig,
  sameInfo,
  summarizeWorker,
} from './worker-records.js';

/**
 * Which workers to take: those of a model, of a role, at an endpoint. An absent member selects all. The model may be the name
 * of a LoRA adapter: then it selects the workers that carry the card of this adapter.
 */
export interface PoolSelector extends Omit<Selection, 'isAt'> {
  /** With a namespace: only there. Without: in every namespace of the fleet, which then needs a namespace. */
  readonly endpoint?: EndpointLike | undefined;
}

/** The members of a pool. */
export interface PoolMembers {
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig>;
  readonly instances: ReadonlySet<WorkerId>;
}

/** What a batch changed among the members of a pool. */
export interface MemberDifference {
  /** Configs that are new, changed, or (`null`) removed. */
  readonly configs: ReadonlyMap<WorkerId, RuntimeConfig | null>;
  /** Whether the worker is present now; only workers whose presence changed. */
  readonly instances: ReadonlyMap<WorkerId, boolean>;
}

/** A key that could not be decoded, or whose value could not. The last decoded value stays in force. */
export interface DiscoveryProblem {
  readonly key: string;
  readonly error: DecodeError;
  /** The worker of the key; `null` if unknown. */
  readonly workerId: WorkerId | null;
}

interface Touched {
  readonly before: WorkerSummary | undefined;
  readonly after: WorkerSummary | undefined;
}

/** What one batch changed. A value that equals the known one is not included. */
export class DiscoveryDifference {
  /** Workers that are new, changed, or (`null`) gone because none of their keys is left. */
  readonly workers: ReadonlyMap<WorkerId, WorkerInfo | null>;
  readonly #touched: ReadonlyMap<WorkerId, Touched>;
  readonly #scope: ParsedScope;

  constructor(
    touched: ReadonlyMap<WorkerId, Touched>,
    /** Keys that were written and could not be decoded. */
    readonly problems: readonly DiscoveryProblem[],
    /** Problems of the model cards and of the event channels to report now. */
    readonly fleetProblems: readonly Problem[],
    scope: ParsedScope,
  ) {
    this.#touched = touched;
    this.#scope = scope;
    const workers = new Map<WorkerId, WorkerInfo | null>();
    for (const [id, { before, after }] of touched)
      if (!sameInfo(before?.info, after?.info)) workers.set(id, after?.info ?? null);
    this.workers = jsonReady(workers);
  }

  /** What changed among the members of a pool; among all workers when absent. */
  in(selector: PoolSelector = {}): MemberDifference {
    const selection = selectionOf(selector, this.#scope);
    const configs = new Map<WorkerId, RuntimeConfig | null>();
    const instances = new Map<WorkerId, boolean>();
    for (const [id, { before, after }] of this.#touched) {
      const [was, is] = [membershipOf(before, selection), membershipOf(after, selection)];
      if (!sameConfig(was.config, is.config)) configs.set(id, is.config);
      if (was.isPresent !== is.isPresent) instances.set(id, is.isPresent);
    }
    return { configs: jsonReady(configs), instances: jsonReady(instances) };
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
 * 2. Only base cards describe the size of a worker. The card of a LoRA adapter makes its name known: a selection by this
 *    name has the worker, with its base card at the same endpoint.
 * 3. A worker has one config for each model and role at each endpoint. Its config as a whole comes from the card whose key
 *    sorts last (in the order of JavaScript strings), so a card of release 0.6 or later wins over an older model entry. The
 *    same rule decides between several base cards that a selection contains. Cards of one pool that differ are a problem.
 * 4. The role of a worker is that of its card: `worker_type` since 1.6, and before that `Prefill` in `model_type`. At the
 *    `prefillEndpoint` of the scope, a card that says nothing is that of a prefill worker. Every other card without a role
 *    is that of an aggregated worker, which also counts as `decode`. A worker type that is not known is a problem.
 * 5. A key that cannot be decoded is a problem. Its last decoded value stays until the key is written again or removed.
 * 6. A batch is one step: a change that is undone within the batch is not a difference. A `snapshot` also removes every
 *    key that it does not contain.
 * 7. Keys outside {@link discoveryPrefixes} and of other namespaces are ignored, even if they cannot be decoded. A card without an id is ignored and is not a problem.
 * 8. The cost of a change depends on its bytes and on the other keys of the same worker, not on the size of the fleet
 *    or on the number of declared ranks.
 *
 * @example
 * ```ts
 * import { DiscoveryFold } from 'tidemark/dynamo';
 *
 * const key = 'v1/mdc/prod/backend/generate/694d988806b92e39';
 * const value = new TextEncoder().encode('{"runtime_config":{"total_kv_blocks":100}}');
 * const fold = new DiscoveryFold({ namespace: 'prod' });
 * fold.apply({ kind: 'snapshot', revision: '1', changes: [{ key, value }] });
 * console.log(fold.members().configs);
 * console.log(fold.apply({ kind: 'changes', revision: '2', changes: [{ key }] }).in().configs);
 * // Logs: Map(1) { '7587888657184927289' => { totalKvBlocks: 100 } }
 * // Logs: Map(1) { '7587888657184927289' => null }
 * ```
 *
 * @see {@link decodeDiscoveryRecord} for a single key
 */
export class DiscoveryFold {
  private readonly scope: ParsedScope;
  private readonly owners = new Map<string, WorkerId>();
  private readonly workersById = new Map<WorkerId, KnownWorker>();
  private readonly table = new ModelTable();
  private readonly cards = new CardProblems();
  private readonly channels = new LoadChannels();
  private readonly keysByNamespace = new Map<string, number>();
  private namespaceNames: readonly string[] = [];
  private readonly unreadKeys = new Map<string, DiscoveryProblem>();

  /**
   * @param scope only workers of this namespace, or at these endpoints; all if absent
   * @throws ScopeError or EndpointNameError for a scope with invalid names
   */
  constructor(scope: FleetScope = {}) {
    this.scope = parseScope(scope);
    // Throws for a namespace that cannot be in a key.
    discoveryPrefixes(this.scope.namespace);
  }

  /** Applies a batch and returns what it changed. */
  apply({ kind, changes }: KeyBatch): DiscoveryDifference {
    const touched = new Set<WorkerId>();
    const problems: DiscoveryProblem[] = [];
    const missing = new Set(
      kind === 'snapshot' ? [...this.owners.keys(), ...this.unreadKeys.keys(), ...this.channels.keys()] : [],
    );
    for (const change of changes) {
      const problem = this.applyChange(change, touched);
      if (problem !== null) problems.push(problem);
      if (change.value !== undefined) missing.delete(change.key);
    }
    for (const key of missing) this.applyChange({ key }, touched);
    const summaries = this.summarize(touched);
    const fleetProblems = [...this.cards.takeNew(), ...this.channels.takeNew()];
    return new DiscoveryDifference(summaries, problems, fleetProblems, this.scope);
  }

  /** The members of a pool; all workers when absent. A copy. */
  members(selector: PoolSelector = {}): PoolMembers {
    const selection = selectionOf(selector, this.scope);
    const configs = new Map<WorkerId, RuntimeConfig>();
    const instances = new Set<WorkerId>();
    for (const [id, { summary }] of this.workersById) {
      const { config, isPresent } = membershipOf(summary, selection);
      if (config !== null) configs.set(id, config);
      if (isPresent) instances.add(id);
    }
    return { configs: jsonReady(configs), instances: jsonReady(instances) };
  }

  /** The pools that have at least one worker with a card, by path. The same map until a pool is added or removed. */
  pools(): ReadonlyMap<string, PoolName> {
    return this.table.pools();
  }

  /** The models and LoRA adapters that have at least one worker with a card. The same list until something in it changes. */
  models(): readonly FleetModel[] {
    return this.table.models();
  }

  /** The namespaces of all workers, sorted. The same list until a namespace is added or removed. */
  namespaces(): readonly string[] {
    const names = [...this.keysByNamespace.keys()].sort();
    const isEqual =
      names.length === this.namespaceNames.length &&
      names.every((name, index) => name === this.namespaceNames[index]);
    if (!isEqual) this.namespaceNames = names;
    return this.namespaceNames;
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

  /** The present problems of the model cards and of the event channels, one for each code, with their number. */
  fleetProblems(): readonly Problem[] {
    return [...this.cards.list(), ...this.channels.list()];
  }

  private applyChange(change: KeyChange, touched: Set<WorkerId>): DiscoveryProblem | null {
    const { key, value, lease } = change;
    const ofEvents = eventNamespace(key);
    if (ofEvents !== undefined) {
      if (this.isInScope(ofEvents)) this.channels.apply(change);
      return null;
    }
    const namespace = namespaceInKey(key);
    if (namespace === undefined || (namespace !== null && !this.isInScope(namespace))) return null;
    const record = value === undefined ? null : readKnownRecord({ key, value, lease });
    if (record !== null && 'error' in record) {
      const problem = { key, error: record.error, workerId: this.owners.get(key) ?? idInKey(key) };
      this.unreadKeys.set(key, problem);
      return problem;
    }
    this.unreadKeys.delete(key);
    this.setRecord(key, record === null ? null : this.inScope(record), touched);
    return null;
  }

  private isInScope(own: string): boolean {
    const { namespace, namespaceMatch } = this.scope;
    return namespace === undefined || selectsNamespace(namespace, namespaceMatch, own);
  }

  /** The record with the role that its endpoint gives it; `null` outside the scope. */
  private inScope(record: KnownRecord): KnownRecord | null {
    const { endpoint, prefillEndpoint, namespaceMatch } = this.scope;
    const { at } = record;
    if (prefillEndpoint !== undefined && isEndpoint(prefillEndpoint, namespaceMatch, at))
      return record.kind === 'card' ? { ...record, role: record.role ?? 'prefill' } : record;
    if (!this.isInScope(at.namespace)) return null;
    return endpoint === undefined || isEndpoint(endpoint, namespaceMatch, at) ? record : null;
  }

  /** Replaces the record of a key; `null` removes it. */
  private setRecord(key: string, record: KnownRecord | null, touched: Set<WorkerId>): void {
    const owner = this.owners.get(key);
    if (owner !== undefined) {
      const records = this.workersById.get(owner)?.records;
      this.countKey(records?.get(key)?.at.namespace ?? '', -1);
      records?.delete(key);
      this.owners.delete(key);
      touched.add(owner);
    }
    if (record === null) return;
    const { workerId } = record;
    const worker = this.workersById.get(workerId) ?? { records: new Map(), summary: undefined };
    this.workersById.set(workerId, worker);
    worker.records.set(key, record);
    this.countKey(record.at.namespace, 1);
    this.owners.set(key, workerId);
    touched.add(workerId);
  }

  private countKey(namespace: string, by: 1 | -1): void {
    const count = (this.keysByNamespace.get(namespace) ?? 0) + by;
    if (count > 0) this.keysByNamespace.set(namespace, count);
    else this.keysByNamespace.delete(namespace);
  }

  /** Summarizes every touched worker once, after the whole batch. */
  private summarize(touched: ReadonlySet<WorkerId>): Map<WorkerId, Touched> {
    const summaries = new Map<WorkerId, Touched>();
    for (const id of touched) {
      const worker = this.workersById.get(id);
      if (worker === undefined) continue;
      const before = worker.summary;
      worker.summary = worker.records.size === 0 ? undefined : summarizeWorker(id, worker.records);
      if (worker.summary === undefined) this.workersById.delete(id);
      summaries.set(id, { before, after: worker.summary });
      this.table.replace(before, worker.summary);
      this.cards.replace(id, worker.summary);
    }
    return summaries;
  }
}

function selectionOf({ model, role, endpoint }: PoolSelector, scope: ParsedScope): Selection {
  if (endpoint === undefined) return { model, role };
  const path = endpointPath(parseEndpointIn(scope, endpoint));
  if (hasNamespace(endpoint)) return { model, role, isAt: (own) => own === path };
  const inEvery = path.slice(path.indexOf('/'));
  return { model, role, isAt: (own) => own.endsWith(inEvery) };
}

function idInKey(text: string): WorkerId | null {
  const key = parseDiscoveryKey(text);
  return 'instanceId' in key ? key.instanceId : null;
}
