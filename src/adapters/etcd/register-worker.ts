import { NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import type { WorkerId } from '../../core/worker-id.js';
import { instanceKey, modelKey } from '../../wire/discovery/discovery-keys.js';
import type { InstanceTransport } from '../../wire/discovery/discovery-record.js';
import {
  type ModelFiles,
  encodeInstanceRecord,
  encodeModelRecord,
} from '../../wire/discovery/encode-discovery-record.js';
import { type EtcdOptions, EtcdOptionsError, etcdReconnectOptions } from './etcd-options.js';
import type { KeyEntry } from './register-keys.js';
import { type RegistrationStatus, runRegistration } from './registration.js';

/** What to register, and where. */
export interface RegisterWorkerOptions extends EtcdOptions {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
  /** Where requests go; a function where the address holds the id, or differs between endpoints. */
  readonly transport: InstanceTransport | ((workerId: WorkerId, endpoint: string) => InstanceTransport);
  /** More endpoints of the same worker, which have no card: `load_metrics` up to 0.6. */
  readonly moreEndpoints?: readonly string[];
  /**
   * The model and the size of the worker. Absent: an instance without a card. With `files` a Dynamo frontend serves the
   * model.
   */
  readonly card?: {
    readonly model: string;
    readonly files?: ModelFiles;
    readonly runtimeConfig: RuntimeConfig;
  };
  /** In the bytes of which release. */
  readonly release: '0.6' | '1.0' | '1.6';
  /** The id to have, 1 to 2^63 − 1. Absent: what etcd gives. */
  readonly workerId?: WorkerId;
  /** How long the worker stays after its process died, in seconds; 10 when absent, as in Dynamo. */
  readonly ttlSeconds?: number;
  /** A value ends the registration in order. */
  readonly stop$?: Observable<unknown>;
}

const DYNAMO_TTL_SECONDS = 10;
const MAX_LEASE = 2n ** 63n - 1n;

/**
 * Registers a worker as Dynamo's own workers do: an instance and a model card under a lease that is kept alive.
 *
 * 1. Cold: every subscription is a worker of its own. It emits its status, the present one first.
 * 2. The keys are written in one transaction that fails if one of them is there; the id is that of the lease.
 * 3. When the lease is lost, or the server, or somebody removes the keys, that is a status, and the worker is registered again under the same id as
 *    soon as possible.
 * 4. A value of `stop$` revokes the lease, which removes the keys at once; then it emits `ended` and completes.
 *    Unsubscribing revokes too, without waiting for it. A process that dies without either leaves its keys for
 *    `ttlSeconds`.
 * 5. It never errors.
 *
 * @throws EtcdOptionsError, when it is called, for options that cannot be followed; ScopeError for names that cannot
 *   stand in a key.
 *
 * @example
 * ```ts no-run
 * import { registerWorker } from 'tidemark/etcd';
 *
 * const worker = registerWorker({
 *   hosts: 'http://127.0.0.1:2379',
 *   namespace: 'dynamo',
 *   component: 'backend',
 *   endpoint: 'generate',
 *   transport: { kind: 'tcp', address: '10.0.0.5:41000/generate' },
 *   card: { model: 'tiny', runtimeConfig: { totalKvBlocks: 1000 } },
 *   release: '1.6',
 * }).subscribe(({ state, workerId, why }) => console.log(state, workerId, why ?? ''));
 * process.once('SIGTERM', () => worker.unsubscribe());
 * ```
 */
export function registerWorker(options: RegisterWorkerOptions): Observable<RegistrationStatus> {
  const { workerId = null, ttlSeconds = DYNAMO_TTL_SECONDS, stop$ = NEVER } = options;
  const reconnecting = etcdReconnectOptions(options);
  const problems: string[] = [];
  if (workerId !== null && (workerId === '0' || BigInt(workerId) > MAX_LEASE))
    problems.push(`workerId must be from 1 to ${MAX_LEASE}, for it is the id of a lease`);
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1)
    problems.push('ttlSeconds must be a whole number, 1 or more');
  if (problems.length > 0) throw new EtcdOptionsError(problems);
  const entries = (id: WorkerId): KeyEntry[] => encodeEntries(options, id);
  // Names that cannot stand in a key are refused before anything starts.
  entries('1' as WorkerId);
  return runRegistration({
    ...reconnecting,
    options,
    workerId,
    registration: { entries, ttlSeconds, stop$ },
  });
}

function encodeEntries(options: RegisterWorkerOptions, instanceId: WorkerId): KeyEntry[] {
  const { namespace, component, transport, card, release: release, keyPrefix = '' } = options;
  const at = { namespace, component, endpoint: options.endpoint, instanceId };
  const instances = [options.endpoint, ...(options.moreEndpoints ?? [])].map((endpoint) => {
    const reached = typeof transport === 'function' ? transport(instanceId, endpoint) : transport;
    const value = encodeInstanceRecord({ ...at, endpoint, transport: reached }, { release });
    return { key: instanceKey({ ...at, endpoint }), value };
  });
  const model = card && { key: modelKey(at), value: encodeModelRecord({ ...at, ...card }, { release }) };
  return [...instances, ...(model ? [model] : [])].map(({ key, value }) => ({ key: keyPrefix + key, value }));
}
