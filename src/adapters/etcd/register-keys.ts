import { NEVER, type Observable, isObservable } from 'rxjs';
import { aNumber, required } from '../../core/option-problems.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { KeyEntry } from './etcd-link.js';
import {
  type EtcdOptions,
  EtcdOptionsError,
  etcdReconnectOptions,
  requireEtcdOptions,
} from './etcd-options.js';
import { runRegistration } from './registration.js';
import type { RegistrationStatus } from './registration-status.js';

/** Options of {@link registerKeys}. */
export interface RegisterKeysOptions extends EtcdOptions {
  /** The keys and values to write, which may contain the id of the lease. */
  readonly entries: (leaseId: WorkerId) => readonly KeyEntry[];
  /** The id of the lease, 1 to 2^63 − 1. Defaults to an id that etcd chooses. */
  readonly leaseId?: WorkerId | undefined;
  /** How long the keys stay after the process died, in seconds. Defaults to 10. */
  readonly ttlSeconds?: number | undefined;
  /** A value ends the registration and revokes the lease. */
  readonly stop$?: Observable<unknown> | undefined;
}

const DEFAULT_TTL_SECONDS = 10;
const MAX_LEASE = 2n ** 63n - 1n;

const registrationRules = {
  entries: required({
    what: 'a function that returns the keys',
    is: (value: unknown) => typeof value === 'function',
  }),
  leaseId: {
    what: 'a whole number as a string, as workerId() makes it',
    is: (value: unknown) => typeof value === 'string' && /^[0-9]{1,20}$/.test(value),
  },
  ttlSeconds: aNumber,
  stop$: { what: 'an Observable', is: isObservable },
};

/**
 * Keeps keys in etcd under a lease that is renewed.
 *
 * 1. The Observable is cold: every subscription has its own lease. It emits the current status first, and then every
 *    change.
 * 2. One transaction writes the keys and fails if one of them exists.
 * 3. If the lease or the connection is lost, or another process removes the keys, it emits a status and writes the keys
 *    again with the same lease id as soon as possible.
 * 4. A value of `stop$` revokes the lease, which removes the keys at once; then it emits `ended` and completes.
 *    Unsubscribing also revokes the lease, without waiting. If the process dies, the keys stay for `ttlSeconds`.
 * 5. It never errors.
 *
 * @throws EtcdOptionsError for invalid options, synchronously, and whatever `entries` throws for the lease id 1.
 *
 * @example
 * ```ts no-run
 * import { registerKeys } from 'tidemark/etcd';
 *
 * const value = new TextEncoder().encode('here');
 * const registration = registerKeys({
 *   hosts: 'http://127.0.0.1:2379',
 *   entries: (leaseId) => [{ key: `services/${leaseId}`, value }],
 * }).subscribe(({ state, leaseId, why }) => console.log(state, leaseId, why ?? ''));
 * process.once('SIGTERM', () => registration.unsubscribe());
 * ```
 *
 * @see {@link watchPrefix}
 */
export function registerKeys(options: RegisterKeysOptions): Observable<RegistrationStatus> {
  requireEtcdOptions('registerKeys', options, registrationRules);
  const {
    entries,
    leaseId = null,
    ttlSeconds = DEFAULT_TTL_SECONDS,
    stop$ = NEVER,
    keyPrefix = '',
  } = options;
  const reconnecting = etcdReconnectOptions(options);
  const problems: string[] = [];
  if (leaseId !== null && (leaseId === '0' || BigInt(leaseId) > MAX_LEASE))
    problems.push(`leaseId must be from 1 to ${MAX_LEASE}`);
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1)
    problems.push('ttlSeconds must be a whole number of at least 1');
  if (problems.length > 0) throw new EtcdOptionsError(problems);
  const prefixed = (id: WorkerId): KeyEntry[] =>
    entries(id).map(({ key, value }) => ({ key: keyPrefix + key, value }));
  // Throws for invalid names before anything starts.
  prefixed('1' as WorkerId);
  return runRegistration({
    ...reconnecting,
    options,
    leaseId,
    registration: { entries: prefixed, ttlSeconds, stop$ },
  });
}
