import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import type { KeyChange } from '../../core/sources/key-source.js';
import type { EndpointName, ModelPool, WorkerInfo, WorkerRole } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { DecodeError } from '../../wire/decode-error.js';
import type { WorkerNeeds } from '../../wire/discovery/discovery-values.js';
import { endpointPath, poolPath } from '../../wire/endpoint-names.js';
import { decodeDiscoveryRecord } from './discovery-record.js';

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
  /** `null` if the card does not say it. */
  readonly role: WorkerRole | null;
  readonly unknownRole?: string;
  readonly needs: WorkerNeeds;
  readonly config: RuntimeConfig;
}

/** Decodes a written key. Returns `null` if it describes no worker, such as a card without an id or endpoint. */
export function readKnownRecord(change: KeyChange): KnownRecord | null | { readonly error: DecodeError } {
  const record = decodeDiscoveryRecord(change);
  if ('error' in record) return record;
  if (record.kind !== 'instance' && record.kind !== 'model') return null;
  if (record.removed) return { error: { code: 'empty', message: 'the value is empty', offset: 0 } };

  const { namespace, component, endpoint, instanceId: workerId } = record;
  if (namespace === null || component === null || endpoint === null || workerId === null) return null;
  const at = { namespace, component, endpoint };
  const known = { workerId, at, path: endpointPath(at) };
  if (record.kind === 'instance') return { kind: 'instance', ...known };
  const { model, lora, role, unknownRole, needs, runtimeConfig: config } = record;
  const card = { kind: 'card', ...known, model, lora, role, needs, config } as const;
  return unknownRole === undefined ? card : { ...card, unknownRole };
}

type Card = KnownEndpoint & KnownCard;

/** A name under which a worker serves, with the base card that describes it there. */
export interface ServedModel extends Card {
  /** The model of the base card, under the name of a LoRA adapter; absent for the model itself. */
  readonly adapterOf?: string | null;
}

/** All records of one worker, combined. */
export interface WorkerSummary {
  readonly info: WorkerInfo;
  /**
   * The base card of each model and role at each endpoint: the one whose key sorts last. They are in the order of their
   * keys, so the card that counts for all is the last.
   */
  readonly cards: readonly ServedModel[];
  /** The base cards again, under the names of the LoRA adapters. */
  readonly adapters: readonly ServedModel[];
  /** The paths of the endpoints at which it has an instance. */
  readonly instances: ReadonlySet<string>;
  /** A pool in which base cards of the worker contradict each other, if there is one. */
  readonly contradiction: string | undefined;
  /** A worker type in its cards that is not known, if there is one. */
  readonly unknownRole: string | undefined;
}

/**
 * Combines the records of a worker, regardless of the order in which they arrived. Among several base cards of one model and
 * role at one endpoint, and among those that count at all, the card whose key sorts last counts.
 */
export function summarizeWorker(
  workerId: WorkerId,
  records: ReadonlyMap<string, KnownRecord>,
): WorkerSummary {
  const base: Card[] = [];
  const loras: Card[] = [];
  const instances = new Set<string>();
  const endpoints = new Map<string, EndpointName>();
  for (const [, record] of inOrder(records)) {
    const { at, path } = record;
    endpoints.set(path, at);
    if (record.kind === 'instance') instances.add(path);
    else if (record.lora !== null) loras.push(record);
    else base.push(record);
  }
  const cards = lastByKey(base, ({ path, role, model }) => `${path}/${role ?? 'aggregated'}/${model ?? ''}`);
  const sorted = inOrder(endpoints).map(([, at]) => at);
  const counting = cards.at(-1);
  return {
    info: {
      workerId,
      ...(counting?.at ?? sorted[0] ?? NO_ENDPOINT),
      endpoints: sorted,
      model: counting?.model ?? null,
      models: sortedSet(cards.flatMap(({ model }) => model ?? [])),
      roles: sortedSet(cards.map(roleOf)),
      loras: sortedSet(loras.flatMap(({ lora }) => lora ?? [])),
    },
    cards,
    adapters: lastByKey(
      loras.flatMap((lora) => adapterOf(lora, cards)),
      ({ path, role, model }) => `${path}/${role ?? ''}/${model ?? ''}`,
    ),
    instances,
    contradiction: findContradiction(base),
    unknownRole: [...base, ...loras].find((card) => card.unknownRole !== undefined)?.unknownRole,
  };
}

/** The last item of each key, in the order of those items. */
function lastByKey<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const last = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    last.delete(key);
    last.set(key, item);
  }
  return [...last.values()];
}

function sortedSet<T extends string>(texts: readonly T[]): T[] {
  return [...new Set(texts)].sort();
}

/**
 * The base card that describes the workers of a LoRA adapter, under its name: that of the same role at the same endpoint, or
 * else the last one there. Without a base card there, nothing is known of the worker's size. The name is that of the card,
 * unless the card has the name of the model, as a copy of the base card does.
 */
function adapterOf(lora: Card, cards: readonly ServedModel[]): ServedModel[] {
  const there = cards.filter(({ path }) => path === lora.path);
  const base = there.findLast(({ role }) => role === lora.role) ?? there.at(-1);
  if (base === undefined) return [];
  const isNamed = lora.model !== null && there.every(({ model }) => model !== lora.model);
  return [{ ...base, model: isNamed ? lora.model : lora.lora, adapterOf: base.model }];
}

/** The pool of two base cards that differ in what they say about the worker. */
function findContradiction(cards: readonly Card[]): string | undefined {
  const byPool = new Map<string, Card>();
  for (const card of cards) {
    const [pool] = poolsOfCard(card);
    if (pool === undefined) continue;
    const path = poolPath(pool);
    const other = byPool.get(path) ?? card;
    byPool.set(path, card);
    const isEqual =
      sameConfig(card.config, other.config) &&
      roleOf(card) === roleOf(other) &&
      String(card.needs) === String(other.needs);
    if (!isEqual) return path;
  }
  return undefined;
}

/** For a worker without keys, which has no summary in practice. */
const NO_ENDPOINT: EndpointName = { namespace: '', component: '', endpoint: '' };

function inOrder<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Which workers to select. An absent member selects all. */
export interface Selection {
  readonly model?: string | undefined;
  readonly role?: WorkerRole | undefined;
  /** Whether the path of an endpoint is selected. */
  readonly isAt?: ((path: string) => boolean) | undefined;
}

/** A worker as a member of a selection. */
export interface Membership {
  readonly config: RuntimeConfig | null;
  readonly isPresent: boolean;
}

const NO_MEMBER: Membership = { config: null, isPresent: false };

/**
 * What a selection sees of a worker: the config of the last selected card, and whether it has an instance at an endpoint
 * of the selection. A selection by model or role sees only the endpoints at which the worker has a selected card.
 */
export function membershipOf(worker: WorkerSummary | undefined, selection: Selection): Membership {
  if (worker === undefined) return NO_MEMBER;
  const { model, role, isAt = () => true } = selection;
  const served = model === undefined ? worker.cards : [...worker.adapters, ...worker.cards];
  const cards = served.filter(
    (card) =>
      isAt(card.path) &&
      (model === undefined || card.model === model) &&
      (role === undefined || hasRole(card, role)),
  );
  const isPresent =
    model !== undefined || role !== undefined
      ? cards.some((card) => worker.instances.has(card.path))
      : [...worker.instances].some(isAt);
  return { config: cards.at(-1)?.config ?? null, isPresent };
}

function roleOf({ role }: Pick<KnownCard, 'role'>): WorkerRole {
  return role ?? 'aggregated';
}

/** Whether a card has a role. Aggregated workers also decode. */
function hasRole(card: KnownCard, role: WorkerRole): boolean {
  const own = roleOf(card);
  return own === role || (role === 'decode' && own === 'aggregated');
}

/** The pool of a card; none if the card has no model. Workers that only encode are in a pool that is not judged. */
export function poolsOfCard({ model, role, at }: Pick<Card, 'model' | 'role' | 'at'>): ModelPool[] {
  if (model === null) return [];
  const name = { model, endpoint: at };
  return [role === 'prefill' || role === 'encode' ? { ...name, role } : name];
}

/** Whether two configs are equal. */
export function sameConfig(a: RuntimeConfig | null, b: RuntimeConfig | null): boolean {
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

/** Whether two descriptions of one worker are equal. */
export function sameInfo(a: WorkerInfo | undefined, b: WorkerInfo | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.model === b.model &&
    sameEndpoint(a, b) &&
    sameList(a.models, b.models, Object.is) &&
    sameList(a.roles, b.roles, Object.is) &&
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
