import type { ITxnResponse, KVClient, LeaseClient } from 'etcd3';
import {
  Observable,
  type SchedulerLike,
  concat,
  exhaustMap,
  ignoreElements,
  map,
  mergeMap,
  of,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import type { WorkerId } from '../../core/worker-id.js';
import { answerWithin } from '../../operators/answer-within.js';
import type { EtcdClient } from './etcd-client.js';
import { MAX_ANSWER_MS, requestStream, unaryCall } from './etcd-connection.js';
import { mapEtcdError } from './etcd-error.js';
import type { KeyEntry } from './etcd-link.js';

/**
 * Creates all keys in one transaction. Keys that already exist with the same lease were written before the connection
 * was lost; in that case it creates the missing ones.
 *
 * @throws TidemarkError if a key exists with another lease.
 */
async function createKeys(kv: KVClient, entries: readonly KeyEntry[], lease: WorkerId): Promise<void> {
  const keys = entries.map(({ key }) => Buffer.from(key));
  const answer = await kv.txn({
    compare: keys.map((key) => ({ key, target: 'Version', result: 'Equal', version: 0 })),
    success: entries.map(({ key, value }) => ({
      request_put: { key: Buffer.from(key), value: Buffer.from(value), lease },
    })),
    failure: keys.map((key) => ({ request_range: { key } })),
  });
  if (answer.succeeded) return;
  const present = leasesOf(answer);
  const foreign = entries.find(({ key }) => (present.get(key) ?? lease) !== lease);
  if (foreign !== undefined)
    throw new TidemarkError(
      'etcd-failed',
      `the key ${foreign.key} already exists with the lease ${present.get(foreign.key)}: ` +
        'another process uses this id',
    );
  const missing = entries.filter(({ key }) => !present.has(key));
  if (missing.length > 0) await createKeys(kv, missing, lease);
}

/**
 * Verifies that all keys exist with the lease.
 *
 * @throws TidemarkError if they do not, because keys must stay as long as their lease.
 */
async function verifyKeys(kv: KVClient, entries: readonly KeyEntry[], lease: WorkerId): Promise<void> {
  const { succeeded } = await kv.txn({
    compare: entries.map(({ key }) => ({ key: Buffer.from(key), target: 'Lease', result: 'Equal', lease })),
  });
  if (!succeeded)
    throw new TidemarkError('etcd-failed', 'another process removed or replaced the keys of this lease');
}

function leasesOf({ responses }: ITxnResponse): Map<string, string> {
  return new Map(
    responses.flatMap(({ response_range }) =>
      response_range.kvs.map(({ key, lease }) => [key.toString(), lease]),
    ),
  );
}

/**
 * Renews a lease: at once, because it may be an old one, and then after every half of its time to live, like Dynamo.
 * Emits after each answer and never completes. Errors if the lease has expired, or if the server does not answer early
 * enough to retry over another connection.
 */
function keepAlive(
  lease: LeaseClient,
  id: string,
  ttlSeconds: number,
  scheduler: SchedulerLike,
): Observable<void> {
  const periodMs = (ttlSeconds * 1_000) / 2;
  return timer(0, periodMs, scheduler).pipe(
    exhaustMap(() =>
      requestStream(() => lease.leaseKeepAlive(), { ID: id }).pipe(
        take(1),
        answerWithin(Math.min(MAX_ANSWER_MS, periodMs / 2), scheduler),
      ),
    ),
    map(({ TTL }) => {
      if (Number(TTL) <= 0)
        throw new TidemarkError('etcd-failed', 'the lease has expired, and its keys were removed');
    }),
  );
}

/** The keys to register. */
export interface KeyRegistration {
  readonly entries: (leaseId: WorkerId) => readonly KeyEntry[];
  readonly ttlSeconds: number;
  /** A value ends the registration and revokes the lease. */
  readonly stop$: Observable<unknown>;
}

/** The requested id, and whether this registration has held it: then the lease may have outlived the connection. */
export interface KnownId {
  readonly id: WorkerId | null;
  readonly held: boolean;
}

/**
 * One session of a registration: grants a lease, creates the keys with it, emits the id, renews the lease, and verifies
 * the keys.
 *
 * It completes after it was stopped and the lease revoked. Unsubscribing also revokes the lease, without waiting. An
 * error does not, so that the next session can continue with the lease.
 */
export function registrationSession(
  client: EtcdClient,
  known: KnownId,
  { entries, ttlSeconds, stop$ }: KeyRegistration,
  scheduler: SchedulerLike,
): Observable<WorkerId> {
  const request = <T>(action: string, call: () => Promise<T>): Observable<T> =>
    unaryCall(client, call, MAX_ANSWER_MS, scheduler).pipe(mapEtcdError(client.url, action));
  const revoke = (ID: WorkerId): Promise<unknown> => client.lease.leaseRevoke({ ID });

  return new Observable((subscriber) => {
    let lease: WorkerId | null = null;
    const session = request('granting a lease', () => grantLease(client, known, ttlSeconds))
      .pipe(
        // From here on keys may exist, even if the answer never arrives.
        tap((id) => (lease = id)),
        mergeMap((id) =>
          request('writing the keys', () => createKeys(client.kv, entries(id), id)).pipe(map(() => id)),
        ),
        mergeMap((id) =>
          concat(
            of(id),
            keepAlive(client.lease, id, ttlSeconds, scheduler).pipe(
              mapEtcdError(client.url, 'keeping the lease alive'),
              exhaustMap(() => request('verifying the keys', () => verifyKeys(client.kv, entries(id), id))),
              ignoreElements(),
              takeUntil(stop$),
            ),
            request('revoking the lease', () => revoke(id)).pipe(ignoreElements()),
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

/** Grants a lease with that id, or continues with the own one that outlived the connection. */
async function grantLease(
  { lease }: EtcdClient,
  { id, held }: KnownId,
  ttlSeconds: number,
): Promise<WorkerId> {
  try {
    const { ID } = await lease.leaseGrant({ TTL: ttlSeconds, ...(id !== null && { ID: id }) });
    return ID as WorkerId;
  } catch (error) {
    if (id === null || !(error instanceof Error) || !/lease already exists/.test(error.message)) throw error;
    if (held) return id;
    throw new TidemarkError(
      'etcd-failed',
      `the lease ${id} already exists: another process uses this id, or used it until a moment ago`,
      {
        cause: error,
      },
    );
  }
}
