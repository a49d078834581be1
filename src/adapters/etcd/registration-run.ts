import {
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
  type Observable,
} from 'rxjs';
import type { WorkerId } from '../../core/worker-id.js';
import type { EtcdHost } from './etcd-host.js';
import type { EtcdOptions } from './etcd-options.js';
import { openClient } from './open-client.js';
import { Failure, reconnecting, type Reconnecting } from '../../operators/reconnecting.js';
import { registerKeys, type KeyRegistration } from './register-keys.js';
import type { RegistrationStatus } from './registration-status.js';

/** What a registration is made of. */
export interface RegistrationRun extends Reconnecting<EtcdHost> {
  readonly options: EtcdOptions;
  readonly workerId: WorkerId | null;
  readonly registration: KeyRegistration;
}

/** A registration over any number of sessions, under one id, until it is stopped. */
export function registrationRun(run: RegistrationRun): Observable<RegistrationStatus> {
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
    const statuses$ = reconnecting(session, run).pipe(
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
  item: WorkerId | Failure,
  { state, since, workerId }: RegistrationStatus,
  now: number,
): RegistrationStatus {
  if (!(item instanceof Failure)) return { state: 'registered', since: now, workerId: item };
  const next = state === 'registered' ? 'down' : state;
  return {
    state: next,
    since: next === state ? since : now,
    workerId,
    why: item.why,
    retryInMs: item.retryInMs,
  };
}
