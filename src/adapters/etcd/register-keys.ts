import {
  concat,
  exhaustMap,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  of,
  takeUntil,
  tap,
  type SchedulerLike,
} from 'rxjs';
import type { WorkerId } from '../../core/worker-id.js';
import { checkKeys, createKeys, type KeyEntry } from './create-keys.js';
import type { EtcdClient } from './etcd-client.js';
import { keepAlive } from './keep-alive.js';
import { ANSWER_MS } from './open-client.js';
import { told } from './told.js';
import { unaryCall } from './unary-call.js';

/** What a worker writes, once it knows its id. */
export interface KeyRegistration {
  readonly entries: (workerId: WorkerId) => readonly KeyEntry[];
  readonly ttlSeconds: number;
  /** Ends the registration in order. */
  readonly stop$: Observable<unknown>;
}

/** The id that a worker is to have, and whether it has had it: then its lease may have outlived the connection. */
export interface KnownId {
  readonly id: WorkerId | null;
  readonly held: boolean;
}

/**
 * One session of a registration: grants a lease, of this id where there is one already, writes the keys under it,
 * emits the id, keeps the lease alive, and looks after the keys.
 *
 * It completes when it was stopped and the lease revoked. Unsubscribing revokes too, without waiting; an error does
 * not, so that the next session finds the lease.
 */
export function registerKeys(
  client: EtcdClient,
  known: KnownId,
  { entries, ttlSeconds, stop$ }: KeyRegistration,
  scheduler: SchedulerLike,
): Observable<WorkerId> {
  const asked = <T>(tried: string, call: () => Promise<T>): Observable<T> =>
    unaryCall(client, call, ANSWER_MS, scheduler).pipe(told(client.url, tried));
  const revoke = (ID: WorkerId): Promise<unknown> => client.lease.leaseRevoke({ ID });

  return new Observable((subscriber) => {
    let lease: WorkerId | null = null;
    const session = asked('granting a lease', () => grant(client, known, ttlSeconds))
      .pipe(
        // From here on there may be keys, whether or not the answer arrives.
        tap((id) => (lease = id)),
        mergeMap((id) =>
          asked('writing the keys', () => createKeys(client.kv, entries(id), id)).pipe(map(() => id)),
        ),
        mergeMap((id) =>
          concat(
            of(id),
            keepAlive(client.lease, id, ttlSeconds, scheduler).pipe(
              told(client.url, 'keeping the lease alive'),
              exhaustMap(() => asked('looking after the keys', () => checkKeys(client.kv, entries(id), id))),
              ignoreElements(),
              takeUntil(stop$),
            ),
            asked('revoking the lease', () => revoke(id)).pipe(ignoreElements()),
          ),
        ),
      )
      .subscribe({
        next: (id) => subscriber.next(id),
        error: (error: unknown) => {
          lease = null;
          subscriber.error(error);
        },
        complete: () => {
          lease = null;
          subscriber.complete();
        },
      });
    return () => {
      session.unsubscribe();
      const left = lease;
      if (left !== null) client.lastCall(() => revoke(left));
    };
  });
}

/** A lease of that id: a new one, or our own that outlived the connection. */
async function grant({ lease }: EtcdClient, { id, held }: KnownId, ttlSeconds: number): Promise<WorkerId> {
  try {
    const { ID } = await lease.leaseGrant({ TTL: ttlSeconds, ...(id !== null && { ID: id }) });
    return ID as WorkerId;
  } catch (error) {
    if (id === null || !(error instanceof Error) || !/lease already exists/.test(error.message)) throw error;
    if (held) return id;
    throw new Error(`the lease ${id} is there already: another process runs under this id, or did just now`, {
      cause: error,
    });
  }
}
