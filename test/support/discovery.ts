import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import type { KeyBatch, KeyChange } from '../../src/core/sources/key-source.js';

/** Keys and values of a discovery backend, for tests. */
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const endpointAt = (path: string): { namespace: string; component: string; endpoint: string } => {
  const [namespace = '', component = '', endpoint = ''] = path.split('/');
  return { namespace, component, endpoint };
};

/** A key written with a JSON value. */
export function put(key: string, value: unknown, lease: WorkerId = workerId('0')): KeyChange {
  return { key, value: bytes(JSON.stringify(value)), lease };
}

/** A key written with any text. */
export function putText(key: string, text: string): KeyChange {
  return { key, value: bytes(text) };
}

/** A removed key. */
export function remove(key: string): KeyChange {
  return { key };
}

/** A minimal model card with this number of blocks. */
export function modelCard(blocks: number, more: object = {}): object {
  return { display_name: 'tiny', runtime_config: { total_kv_blocks: blocks }, ...more };
}

/** A model entry of a release up to 0.5.1. */
export function modelEntry(path: string, blocks: number): object {
  const { namespace, component, endpoint } = endpointAt(path);
  const runtime_config = { total_kv_blocks: blocks };
  return { name: 'old', endpoint: { namespace, component, name: endpoint }, runtime_config };
}

let revision = 0;
const numbered = (kind: KeyBatch['kind'], changes: readonly KeyChange[]): KeyBatch => {
  revision += 1;
  return { kind, revision: `${revision}`, changes };
};

/** Batches, each with its own revision. */
export const batch = {
  snapshot: (...changes: KeyChange[]): KeyBatch => numbered('snapshot', changes),
  changes: (...changes: KeyChange[]): KeyBatch => numbered('changes', changes),
  resync: (...changes: KeyChange[]): KeyBatch => numbered('resync', changes),
};
