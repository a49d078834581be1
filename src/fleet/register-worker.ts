import { type Observable, map } from 'rxjs';
import {
  type EtcdClientLike,
  type EtcdOptions,
  EtcdOptionsError,
  toEtcdOptions,
} from '../adapters/etcd/etcd-options.js';
import { registerKeys } from '../adapters/etcd/register-keys.js';
import type { RegistrationStatus } from '../adapters/etcd/registration-status.js';
import { optionProblems, validatedElsewhere } from '../core/option-problems.js';
import type { WorkerId } from '../core/worker-id.js';
import { type WorkerKeysOptions, workerKeys, workerKeysRules } from '../dynamo/publishing/worker-keys.js';

/** Options of {@link registerWorker}. */
export interface RegisterWorkerOptions extends WorkerKeysOptions {
  /** The hosts of etcd (a string is a comma-separated list), connection options, or an existing client of `etcd3`. */
  readonly etcd: string | EtcdOptions | EtcdClientLike;
  /** The id of the worker, 1 to 2^63 − 1, which is also that of its lease. Defaults to an id that etcd chooses. */
  readonly workerId?: WorkerId;
  /** How long the worker stays registered after its process died, in seconds. Defaults to 10, as in Dynamo. */
  readonly ttlSeconds?: number;
  /** A value ends the registration and revokes the lease. */
  readonly stop$?: Observable<unknown>;
}

/** The status of a worker: that of the registration of its keys, with its id, which stays the same for a new lease. */
export interface WorkerStatus extends Omit<RegistrationStatus, 'leaseId'> {
  /** `null` until known. */
  readonly workerId: WorkerId | null;
}

/**
 * Registers a worker like a worker of Dynamo: an instance and a model card in etcd, under a lease that is renewed.
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
 * @throws EtcdOptionsError or TidemarkError, code `worker-keys`, for invalid options, and ScopeError for names that are not
 *   valid in a key; all synchronously.
 *
 * @example
 * ```ts no-run
 * import { registerWorker } from 'tidemark/dynamo';
 *
 * const worker = registerWorker({
 *   etcd: 'http://127.0.0.1:2379',
 *   namespace: 'dynamo',
 *   component: 'backend',
 *   endpoint: 'generate',
 *   transport: { kind: 'tcp', address: '10.0.0.5:41000/generate' },
 *   card: { model: 'tiny', runtimeConfig: { totalKvBlocks: 1000 } },
 *   release: '1.6',
 * }).subscribe(({ state, workerId, why }) => console.log(state, workerId, why ?? ''));
 * process.once('SIGTERM', () => worker.unsubscribe());
 * ```
 *
 * @see {@link loadMessages} for the loads of a worker
 */
export function registerWorker(options: RegisterWorkerOptions): Observable<WorkerStatus> {
  const problems = optionProblems('registerWorker', options, {
    ...workerKeysRules,
    etcd: validatedElsewhere,
    workerId: validatedElsewhere,
    ttlSeconds: validatedElsewhere,
    stop$: validatedElsewhere,
  });
  if (problems.length > 0) throw new EtcdOptionsError(problems);
  const { etcd, workerId, ttlSeconds, stop$, ...worker } = options;
  return registerKeys({
    ...toEtcdOptions(etcd),
    entries: workerKeys(worker),
    leaseId: workerId,
    ttlSeconds,
    stop$,
  }).pipe(map(({ leaseId, ...status }) => ({ ...status, workerId: leaseId })));
}
