import {
  type Observable,
  concat,
  defer,
  endWith,
  filter,
  map,
  of,
  switchMap,
  takeUntil,
  takeWhile,
  tap,
} from 'rxjs';
import type { WorkerId } from '../../core/worker-id.js';
import { type ReconnectOptions, SessionFailure, reconnect } from '../../operators/reconnect.js';
import { openClient } from './etcd-connection.js';
import type { EtcdHost, EtcdOptions } from './etcd-options.js';
import { type KeyRegistration, registerKeys } from './register-keys.js';

/** The status of a registration. */
export interface RegistrationStatus {
  /**
   * `connecting`: not registered yet. `registered`: the keys exist and the lease is renewed. `down`: the lease cannot be
   * renewed at the moment, and the keys disappear when it expires. `ended`: the registration was stopped and the lease
   * revoked.
   */
  readonly state: 'connecting' | 'registered' | 'down' | 'ended';
  /** When the state began, in milliseconds of the scheduler's clock. */
  readonly since: number;
  /** The id of the worker, which is also that of the lease; `null` until known. It stays the same for a new lease. */
  readonly workerId: WorkerId | null;
  /** The reason for the state. */
  readonly why?: string;
  /** Time until the next attempt, in milliseconds. */
  readonly retryInMs?: number;
}

/** Options of {@link runRegistration}. */
export interface RegistrationRunOptions extends ReconnectOptions<EtcdHost> {
  readonly options: EtcdOptions;
  readonly workerId: WorkerId | null;
  readonly registration: KeyRegistration;
}

/** A registration with one id, over any number of sessions, until it is stopped. */
export function runRegistration(run: RegistrationRunOptions): Observable<RegistrationStatus> {
  const { options, registration, scheduler } = run;
  return defer(() => {
    let status: RegistrationStatus = { state: 'connecting', since: scheduler.now(), workerId: run.workerId };
    // The status does not show this: `connecting` has the requested id.
    let held = false;
    const session = (host: EtcdHost): Observable<WorkerId> =>
      openClient(host, options, scheduler).pipe(
        switchMap((client) =>
          registerKeys(client, { id: status.workerId, held }, registration, scheduler).pipe(
            tap(() => (held = true)),
            endWith(null),
          ),
        ),
        takeWhile((id) => id !== null),
      );
    // Without a session there is no lease to revoke.
    const givenUp$ = registration.stop$.pipe(filter(() => status.state !== 'registered'));
    const statuses$ = reconnect(session, run).pipe(
      map((item) => (status = statusAfter(item, status, scheduler.now()))),
      takeUntil(givenUp$),
    );
    return concat(
      of(status),
      statuses$,
      defer(() =>
        of<RegistrationStatus>({ state: 'ended', since: scheduler.now(), workerId: status.workerId }),
      ),
    );
  });
}

function statusAfter(
  item: WorkerId | SessionFailure,
  { state, since, workerId }: RegistrationStatus,
  now: number,
): RegistrationStatus {
  if (!(item instanceof SessionFailure)) return { state: 'registered', since: now, workerId: item };
  const next = state === 'registered' ? 'down' : state;
  return {
    state: next,
    since: next === state ? since : now,
    workerId,
    why: item.why,
    retryInMs: item.retryInMs,
  };
}
