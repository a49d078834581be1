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
import type { WorkerId } from '../../core/worker-id.js';
import { answerWithin } from '../../operators/answer-within.js';
import type { EtcdClient } from './etcd-client.js';
import { MAX_ANSWER_MS, requestStream, unaryCall } from './etcd-connection.js';
import { mapEtcdError } from './etcd-error.js';

/** A key to write. */
export interface KeyEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/**
 * Writes all keys or none, each of which must not be there yet. Keys that live by the same lease already are ours,
 * from before the connection was lost; then those that are missing are written.
 *
 * @throws Error when a key belongs to somebody else.
 */
export async function createKeys(kv: KVClient, entries: readonly KeyEntry[], lease: WorkerId): Promise<void> {
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
    throw new Error(
      `the key ${foreign.key} is there already, with the lease ${present.get(foreign.key)}: ` +
        'another process runs under this id',
    );
  const missing = entries.filter(({ key }) => !present.has(key));
  if (missing.length > 0) await createKeys(kv, missing, lease);
}

/**
 * Looks whether all keys live by the lease.
 *
 * @throws Error when they do not: a worker is there for as long as its lease, whoever removes its keys.
 */
export async function verifyKeys(kv: KVClient, entries: readonly KeyEntry[], lease: WorkerId): Promise<void> {
  const { succeeded } = await kv.txn({
    compare: entries.map(({ key }) => ({ key: Buffer.from(key), target: 'Lease', result: 'Equal', lease })),
  });
  if (!succeeded) throw new Error('somebody removed or replaced the keys of this worker');
}

function leasesOf({ responses }: ITxnResponse): Map<string, string> {
  return new Map(
    responses.flatMap(({ response_range }) =>
      response_range.kvs.map(({ key, lease }) => [key.toString(), lease]),
    ),
  );
}

/**
 * Keeps a lease alive, asking at once, for it may be an old one, and each time half of it is over, as Dynamo does.
 * Emits after each answer and never completes; errors when the server says that the lease is gone, or does not answer
 * while there is time to ask on another connection.
 */
export function keepAlive(
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
      if (Number(TTL) <= 0) throw new Error('the lease has run out, and its keys are gone');
    }),
  );
}

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
    unaryCall(client, call, MAX_ANSWER_MS, scheduler).pipe(mapEtcdError(client.url, tried));
  const revoke = (ID: WorkerId): Promise<unknown> => client.lease.leaseRevoke({ ID });

  return new Observable((subscriber) => {
    let lease: WorkerId | null = null;
    const session = asked('granting a lease', () => grantLease(client, known, ttlSeconds))
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
              mapEtcdError(client.url, 'keeping the lease alive'),
              exhaustMap(() => asked('looking after the keys', () => verifyKeys(client.kv, entries(id), id))),
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
    throw new Error(`the lease ${id} is there already: another process runs under this id, or did just now`, {
      cause: error,
    });
  }
}
