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

/** How a registration is. */
export interface RegistrationStatus {
  /**
   * `connecting`: not registered yet. `registered`: the keys are there and the lease is kept alive. `down`: it cannot
   * be kept alive at the moment, and the keys go when the lease runs out. `ended`: it was stopped, and the lease
   * revoked.
   */
  readonly state: 'connecting' | 'registered' | 'down' | 'ended';
  /** Since when, in milliseconds of the scheduler's clock. */
  readonly since: number;
  /** The worker's id, `null` until it has one. It is the id of the lease, and stays when the lease is made anew. */
  readonly workerId: WorkerId | null;
  readonly why?: string;
  readonly retryInMs?: number;
}

/** What a registration is made of. */
export interface RegistrationRunOptions extends ReconnectOptions<EtcdHost> {
  readonly options: EtcdOptions;
  readonly workerId: WorkerId | null;
  readonly registration: KeyRegistration;
}

/** A registration over any number of sessions, under one id, until it is stopped. */
export function runRegistration(run: RegistrationRunOptions): Observable<RegistrationStatus> {
  const { options, registration, scheduler } = run;
  return defer(() => {
    let status: RegistrationStatus = { state: 'connecting', since: scheduler.now(), workerId: run.workerId };
    // Not every status tells: `connecting` names an id that was asked for.
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
    // Without a session there is nothing to revoke, and nothing to wait for.
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
