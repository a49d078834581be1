import type { IEvent, IKeyValue } from 'etcd3';
import type { WorkerId } from '../../core/worker-id.js';
import type { KeyChange, KeyPut } from './prefix-batch.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What etcd says of a key, without the prefix that stands before all of ours; `null` for a key that is no UTF-8. No
 * text names that one, and what comes nearest may be the name of another.
 */
export function keyPutOf(kv: IKeyValue, keyPrefix: string): KeyPut | null {
  const key = keyOf(kv, keyPrefix);
  if (key === null) return null;
  return {
    kind: 'put',
    key,
    value: kv.value,
    // A lease id is a signed number on the wire and positive; as text it is what a worker id is.
    lease: kv.lease as WorkerId,
    modRevision: kv.mod_revision,
    createRevision: kv.create_revision,
  };
}

/** One event of a watch; `null` as for {@link keyPutOf}. */
export function keyChangeOf({ type, kv }: IEvent, keyPrefix: string): KeyChange | null {
  // The declared names of the types are in another case than those on the wire.
  if (type.toUpperCase() !== 'DELETE') return keyPutOf(kv, keyPrefix);
  const key = keyOf(kv, keyPrefix);
  return key === null ? null : { kind: 'delete', key, modRevision: kv.mod_revision };
}

function keyOf({ key }: IKeyValue, keyPrefix: string): string | null {
  try {
    return utf8.decode(key).slice(keyPrefix.length);
  } catch {
    return null;
  }
}
