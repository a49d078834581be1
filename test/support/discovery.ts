import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import type { DiscoveryBatch } from '../../src/dynamo/discovery/discovery-fold.js';
import type { DiscoveryChange } from '../../src/dynamo/discovery/discovery-record.js';

/** Keys and values of a discovery backend, for tests. */
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const endpointAt = (path: string): { namespace: string; component: string; endpoint: string } => {
  const [namespace = '', component = '', endpoint = ''] = path.split('/');
  return { namespace, component, endpoint };
};

/** A key written with a JSON value. */
export function put(key: string, value: unknown, lease: WorkerId = workerId('0')): DiscoveryChange {
  return { key, value: bytes(JSON.stringify(value)), lease };
}

/** A key written with any text. */
export function putText(key: string, text: string): DiscoveryChange {
  return { key, value: bytes(text) };
}

/** A removed key. */
export function remove(key: string): DiscoveryChange {
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

export const batch = {
  snapshot: (...changes: DiscoveryChange[]): DiscoveryBatch => ({ kind: 'snapshot', changes }),
  changes: (...changes: DiscoveryChange[]): DiscoveryBatch => ({ kind: 'changes', changes }),
  resync: (...changes: DiscoveryChange[]): DiscoveryBatch => ({ kind: 'resync', changes }),
};
