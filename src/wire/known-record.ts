import type { EndpointName } from '../core/endpoint-name.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import type { DecodeError } from './decode-error.js';
import { decodeDiscoveryRecord, type DiscoveryEntry } from './discovery-record.js';
import { endpointPath } from './endpoint-path.js';

/** What one key says about one worker: that it serves at an endpoint, or a card that it has there. */
export type KnownRecord = KnownPlace & ({ readonly kind: 'instance' } | KnownCard);

interface KnownPlace {
  readonly workerId: WorkerId;
  readonly at: EndpointName;
  /** The same as one text. */
  readonly path: string;
}

interface KnownCard {
  readonly kind: 'card';
  readonly model: string | null;
  /** The adapter of a LoRA card; `null` for a base card. */
  readonly lora: string | null;
  readonly config: RuntimeConfig;
}

/** Reads a key with its value; `null` says nothing about any worker: a card without an id, or of no endpoint. */
export function knownRecordOf(entry: DiscoveryEntry): KnownRecord | null | { readonly error: DecodeError } {
  const record = decodeDiscoveryRecord(entry);
  if ('error' in record) return record;
  if (record.kind !== 'instance' && record.kind !== 'model') return null;
  if (record.removed) return { error: { code: 'empty', message: 'the value is empty', offset: 0 } };

  const { namespace, component, endpoint, instanceId: workerId } = record;
  if (namespace === null || component === null || endpoint === null || workerId === null) return null;
  const at = { namespace, component, endpoint };
  const place = { workerId, at, path: endpointPath(at) };
  if (record.kind === 'instance') return { kind: 'instance', ...place };
  const { model, lora, runtimeConfig } = record;
  return { kind: 'card', ...place, model, lora, config: runtimeConfig };
}
