import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import type { KeyChange } from '../../core/sources/key-source.js';
import type { EndpointName, PoolName, WorkerInfo, WorkerRole } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { DecodeError } from '../../wire/decode-error.js';
import { endpointPath } from '../../wire/endpoint-names.js';
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
  const { model, lora, role, runtimeConfig } = record;
  return { kind: 'card', ...known, model, lora, role, config: runtimeConfig };
}

type BaseCard = KnownEndpoint & KnownCard;

/** All records of one worker, combined. */
export interface WorkerSummary {
  readonly info: WorkerInfo;
  /** The base card that counts at each endpoint, by path: the one whose key sorts last. The card that counts for all is last. */
  readonly cards: ReadonlyMap<string, BaseCard>;
  /** The paths of the endpoints at which it has an instance. */
  readonly instances: ReadonlySet<string>;
}

/**
 * Combines the records of a worker, regardless of the order in which they arrived. Among several base cards at one
 * endpoint, and among those of several endpoints, the card whose key sorts last counts.
 */
export function summarizeWorker(
  workerId: WorkerId,
  records: ReadonlyMap<string, KnownRecord>,
): WorkerSummary {
  const cards = new Map<string, BaseCard>();
  const instances = new Set<string>();
  const loras = new Set<string>();
  const endpoints = new Map<string, EndpointName>();
  for (const [, record] of inOrder(records)) {
    const { at, path } = record;
    endpoints.set(path, at);
    if (record.kind === 'instance') instances.add(path);
    else if (record.lora !== null) loras.add(record.lora);
    else {
      cards.delete(path);
      cards.set(path, record);
    }
  }
  const sorted = inOrder(endpoints).map(([, at]) => at);
  const counting = [...cards.values()].at(-1);
  return {
    info: {
      workerId,
      ...(counting?.at ?? sorted[0] ?? NO_ENDPOINT),
      endpoints: sorted,
      model: counting?.model ?? null,
      loras: [...loras].sort(),
    },
    cards,
    instances,
  };
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
  /** The path of an endpoint. */
  readonly path?: string | undefined;
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
  const { model, role, path } = selection;
  const cards = [...worker.cards.values()].filter(
    (card) =>
      (path === undefined || card.path === path) &&
      (model === undefined || card.model === model) &&
      (role === undefined || hasRole(card, role)),
  );
  const isPresent =
    model !== undefined || role !== undefined
      ? cards.some((card) => worker.instances.has(card.path))
      : path === undefined
        ? worker.instances.size > 0
        : worker.instances.has(path);
  return { config: cards.at(-1)?.config ?? null, isPresent };
}

/** Whether a card has a role. Aggregated workers also decode. */
function hasRole(card: KnownCard, role: WorkerRole): boolean {
  const own = card.role ?? 'aggregated';
  return own === role || (role === 'decode' && own === 'aggregated');
}

/** The pools of a worker. A card without a model belongs to none, and a worker that only encodes is not judged. */
export function poolsOf(worker: WorkerSummary | undefined): PoolName[] {
  return [...(worker?.cards.values() ?? [])].flatMap(({ model, role, at }) => {
    if (model === null || role === 'encode') return [];
    return [{ model, endpoint: at, ...(role === 'prefill' && { role }) }];
  });
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
