import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import type { KeyChange } from '../../core/sources/key-source.js';
import type { WorkerRole } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import { type DecodeError, catchDecodeFailure } from '../../wire/decode-error.js';
import {
  type EventTransport,
  type InstanceTransport,
  type WorkerNeeds,
  readDiscoveryValue,
  readEndpointName,
  readEventTransport,
  readInstanceTransport,
  readTaggedCard,
} from '../../wire/discovery/discovery-values.js';
import {
  type EventChannelKey,
  type InstanceKey,
  type ModelKey,
  requireDiscoveryKey,
} from './discovery-keys.js';

/** An instance of a worker. */
export interface InstanceRecord extends InstanceKey {
  readonly removed?: undefined;
  /** `null`: absent, or of a kind that this release of tidemark does not know. */
  readonly transport: InstanceTransport | null;
}

/** A model card of a worker. */
export interface ModelRecord extends ModelKey {
  readonly removed?: undefined;
  /** The model's name; `null` if the card has none. */
  readonly model: string | null;
  /** The LoRA adapter's name, or else the suffix; `null` for a base card. Only a base card gives the size of a worker. */
  readonly lora: string | null;
  /** What the worker does; `null` if the card does not say, as before 1.6 unless it is a prefill worker. */
  readonly role: WorkerRole | null;
  /** A worker type in the card that is none of the known ones. */
  readonly unknownRole?: string;
  /** Which other roles the worker needs: all roles of one of the lists. It needs none if there is no list. */
  readonly needs: WorkerNeeds;
  readonly runtimeConfig: RuntimeConfig;
}

/** A record that says where the events of a publisher are available. */
export interface EventChannelRecord extends EventChannelKey {
  readonly removed?: undefined;
  /** `null`: a kind that this release of tidemark does not know. */
  readonly transport: EventTransport | null;
}

/** A key that was removed, with its parts. A removed LoRA card is known only by its suffix. */
export type RemovedRecord = (InstanceKey | ModelKey | EventChannelKey) & { readonly removed: true };

/** A decoded discovery record; `unknown` is a record that tidemark does not need. */
export type DiscoveryRecord =
  | InstanceRecord
  | ModelRecord
  | EventChannelRecord
  | RemovedRecord
  | { readonly kind: 'unknown'; readonly removed?: undefined };

/**
 * Decodes one discovery record of any release (0.4 to 1.6).
 *
 * 1. The key decides what the record is about (see {@link parseDiscoveryKey}) and wins over the value. Only entries
 *    `models/{uuid}` take namespace, component and endpoint from the value.
 * 2. The id comes from the key. If the key has none, it is the lease, or `null` without a lease. An id in the value
 *    must be the same.
 * 3. A value is either a bare instance, card or model entry, or tagged with its `type`, which must match the key.
 * 4. An absent or empty value is a removal: `removed` is true, and the rest comes from the key.
 * 5. Event sources and keys outside Dynamo's roots are `unknown`; their values are not decoded.
 * 6. Fields that tidemark does not need may be missing or have any value. A field that is read must have its type; in
 *    a card it may also be `null`, which means absent.
 *
 * Returns `{ error }` if the key or the value cannot be decoded. The offset is relative to the value, and 0 for
 * `bad-key`.
 *
 * @example
 * ```ts
 * import { decodeDiscoveryRecord } from 'tidemark/dynamo';
 *
 * const record = decodeDiscoveryRecord({
 *   key: 'v1/mdc/dynamo/backend/generate/694d988806b92e39',
 *   value: new TextEncoder().encode('{"display_name":"tiny","runtime_config":{"total_kv_blocks":100}}'),
 * });
 * if ('kind' in record && record.kind === 'model' && !record.removed) console.log(record.runtimeConfig);
 * // Logs: { totalKvBlocks: 100 }
 * ```
 */
export function decodeDiscoveryRecord(change: KeyChange): DiscoveryRecord | { readonly error: DecodeError } {
  return catchDecodeFailure(() => readRecord(change));
}

function readRecord({ key: text, value, lease }: KeyChange): DiscoveryRecord {
  const key = requireDiscoveryKey(text);
  if (key.kind === 'unknown' || key.kind === 'eventSource') return { kind: 'unknown' };
  const identified = key.kind === 'model' ? { ...key, instanceId: key.instanceId ?? idOfLease(lease) } : key;
  if (value === undefined || value.length === 0) return { ...identified, removed: true };

  const body = readDiscoveryValue(value, key.kind, key.instanceId);
  switch (identified.kind) {
    case 'instance':
      return { ...identified, transport: readInstanceTransport(body) };
    case 'eventChannel':
      return { ...identified, transport: readEventTransport(body) };
    case 'model':
      return {
        ...identified,
        ...(text.startsWith('models/') && readEndpointName(body)),
        ...readTaggedCard(body, identified.lora),
      };
  }
}

function idOfLease(lease: WorkerId | undefined): WorkerId | null {
  return lease === undefined || lease === '0' ? null : lease;
}
