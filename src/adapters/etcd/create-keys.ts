import type { KVClient, ITxnResponse } from 'etcd3';
import type { WorkerId } from '../../core/worker-id.js';

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
export async function checkKeys(kv: KVClient, entries: readonly KeyEntry[], lease: WorkerId): Promise<void> {
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
