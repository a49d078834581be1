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
import { failureReason, nextStatus } from '../../core/sources/source-status.js';
import type { WorkerId } from '../../core/worker-id.js';
import { type ReconnectOptions, SessionFailure, reconnect } from '../../operators/reconnect.js';
import { openClient } from './etcd-connection.js';
import type { EtcdHost, EtcdOptions } from './etcd-options.js';
import type { RegistrationStatus } from './registration-status.js';
import { type KeyRegistration, registrationSession } from './registration-session.js';

/** Options of {@link runRegistration}. */
export interface RegistrationRunOptions extends ReconnectOptions<EtcdHost> {
  readonly options: EtcdOptions;
  readonly leaseId: WorkerId | null;
  readonly registration: KeyRegistration;
}

/** A registration with one id, over any number of sessions, until it is stopped. */
export function runRegistration(run: RegistrationRunOptions): Observable<RegistrationStatus> {
  const { options, registration, scheduler } = run;
  return defer(() => {
    let status: RegistrationStatus = { state: 'connecting', since: scheduler.now(), leaseId: run.leaseId };
    // The status does not show this: `connecting` has the requested id.
    let held = false;
    const session = (host: EtcdHost): Observable<WorkerId> =>
      openClient(host, options, scheduler).pipe(
        switchMap((client) =>
          registrationSession(client, { id: status.leaseId, held }, registration, scheduler).pipe(
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
        of<RegistrationStatus>({ state: 'ended', since: scheduler.now(), leaseId: status.leaseId }),
      ),
    );
  });
}

function statusAfter(
  item: WorkerId | SessionFailure,
  before: RegistrationStatus,
  now: number,
): RegistrationStatus {
  if (!(item instanceof SessionFailure)) return { state: 'registered', since: now, leaseId: item };
  const state = before.state === 'registered' ? 'down' : before.state;
  return { ...nextStatus(before, { state, ...failureReason(item) }, now), leaseId: before.leaseId };
}
