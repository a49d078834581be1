import { NEVER, type Observable, isObservable } from 'rxjs';
import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { aNumber, isRecord, oneOf, required, validatedElsewhere } from '../../core/option-problems.js';
import type { WorkerId } from '../../core/worker-id.js';
import { instanceKey, modelKey } from '../../wire/discovery/discovery-keys.js';
import type { InstanceTransport } from '../../wire/discovery/discovery-record.js';
import {
  type ModelFiles,
  encodeInstanceRecord,
  encodeModelRecord,
} from '../../wire/discovery/encode-discovery-record.js';
import {
  type EtcdOptions,
  EtcdOptionsError,
  etcdReconnectOptions,
  requireEtcdOptions,
} from './etcd-options.js';
import type { KeyEntry } from './register-keys.js';
import type { RegistrationStatus } from './registration-status.js';
import { runRegistration } from './registration.js';

/** Options of {@link registerWorker}. */
export interface RegisterWorkerOptions extends EtcdOptions {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
  /** The address for requests; a function if it depends on the id or the endpoint. */
  readonly transport: InstanceTransport | ((workerId: WorkerId, endpoint: string) => InstanceTransport);
  /** More endpoints of the same worker, without cards, such as `load_metrics` up to 0.6. */
  readonly moreEndpoints?: readonly string[];
  /**
   * The model card, with the size of the worker. Absent: only an instance. A Dynamo frontend serves the model only with
   * `files`.
   */
  readonly card?: {
    readonly model: string;
    readonly files?: ModelFiles;
    readonly runtimeConfig: RuntimeConfig;
  };
  /** The release whose format to write. */
  readonly release: '0.6' | '1.0' | '1.6';
  /** The id of the worker, 1 to 2^63 − 1. Defaults to an id that etcd chooses. */
  readonly workerId?: WorkerId;
  /** How long the worker stays registered after its process died, in seconds. Defaults to 10, as in Dynamo. */
  readonly ttlSeconds?: number;
  /** A value ends the registration and revokes the lease. */
  readonly stop$?: Observable<unknown>;
}

const DYNAMO_TTL_SECONDS = 10;
const MAX_LEASE = 2n ** 63n - 1n;

const registrationRules = {
  namespace: validatedElsewhere,
  component: validatedElsewhere,
  endpoint: validatedElsewhere,
  transport: required({
    what: '{ kind, address }, as strings, or a function that returns them',
    is: (value: unknown) => typeof value === 'function' || isTransport(value),
  }),
  moreEndpoints: { what: 'a list of names', is: (value: unknown) => Array.isArray(value) },
  card: {
    what: 'an object with model and runtimeConfig',
    is: (value: unknown) =>
      isRecord(value) && typeof value['model'] === 'string' && isRecord(value['runtimeConfig']),
  },
  release: required(oneOf(['0.6', '1.0', '1.6'])),
  workerId: {
    what: 'a whole number as a string, as workerId() makes it',
    is: (value: unknown) => typeof value === 'string' && /^[0-9]{1,20}$/.test(value),
  },
  ttlSeconds: aNumber,
  stop$: { what: 'an Observable', is: isObservable },
};

function isTransport(value: unknown): boolean {
  return isRecord(value) && typeof value['kind'] === 'string' && typeof value['address'] === 'string';
}

/**
 * Registers a worker like a worker of Dynamo: an instance and a model card under a lease that is renewed.
 *
 * 1. The Observable is cold: every subscription registers a separate worker. It emits the current status first, and
 *    then every change.
 * 2. One transaction writes the keys and fails if one of them exists. The id of the worker is that of the lease.
 * 3. If the lease or the connection is lost, or another process removes the keys, it emits a status and registers the
 *    worker again with the same id as soon as possible.
 * 4. A value of `stop$` revokes the lease, which removes the keys at once; then it emits `ended` and completes.
 *    Unsubscribing also revokes the lease, without waiting. If the process dies, the keys stay for `ttlSeconds`.
 * 5. It never errors.
 *
 * @throws EtcdOptionsError for invalid options, and ScopeError for names that are not valid in a key; both
 *   synchronously.
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
  requireEtcdOptions('registerWorker', options, registrationRules);
  const { workerId = null, ttlSeconds = DYNAMO_TTL_SECONDS, stop$ = NEVER } = options;
  const reconnecting = etcdReconnectOptions(options);
  const problems: string[] = [];
  if (workerId !== null && (workerId === '0' || BigInt(workerId) > MAX_LEASE))
    problems.push(`workerId must be from 1 to ${MAX_LEASE}, because it is also the id of the lease`);
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1)
    problems.push('ttlSeconds must be a whole number of at least 1');
  if (problems.length > 0) throw new EtcdOptionsError(problems);
  const entries = (id: WorkerId): KeyEntry[] => encodeEntries(options, id);
  // Throws for invalid names before anything starts.
  entries('1' as WorkerId);
  return runRegistration({
    ...reconnecting,
    options,
    workerId,
    registration: { entries, ttlSeconds, stop$ },
  });
}

function encodeEntries(options: RegisterWorkerOptions, instanceId: WorkerId): KeyEntry[] {
  const { namespace, component, transport, card, release, keyPrefix = '' } = options;
  const at = { namespace, component, endpoint: options.endpoint, instanceId };
  const instances = [options.endpoint, ...(options.moreEndpoints ?? [])].map((endpoint) => {
    // The key validates the names.
    const key = instanceKey({ ...at, endpoint });
    const address = typeof transport === 'function' ? transport(instanceId, endpoint) : transport;
    return { key, value: encodeInstanceRecord({ ...at, endpoint, transport: address }, { release }) };
  });
  const model = card && { key: modelKey(at), value: encodeModelRecord({ ...at, ...card }, { release }) };
  return [...instances, ...(model ? [model] : [])].map(({ key, value }) => ({ key: keyPrefix + key, value }));
}
