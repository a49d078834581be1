import type { IEvent, IKeyValue } from 'etcd3';
import type { WorkerId } from '../../core/worker-id.js';
import type { KeyChange, KeyPut } from './prefix-batch.js';

/** What etcd says of a key, without the prefix that stands before all of ours. */
export function keyPutOf(kv: IKeyValue, keyPrefix: string): KeyPut {
  return {
    kind: 'put',
    key: keyOf(kv, keyPrefix),
    value: kv.value,
    // A lease id is a signed number on the wire and positive; as text it is what a worker id is.
    lease: kv.lease as WorkerId,
    modRevision: kv.mod_revision,
    createRevision: kv.create_revision,
  };
}

/** One event of a watch. */
export function keyChangeOf({ type, kv }: IEvent, keyPrefix: string): KeyChange {
  // The declared names of the types are in another case than those on the wire.
  return type.toUpperCase() === 'DELETE'
    ? { kind: 'delete', key: keyOf(kv, keyPrefix), modRevision: kv.mod_revision }
    : keyPutOf(kv, keyPrefix);
}

function keyOf({ key }: IKeyValue, keyPrefix: string): string {
  return key.toString('utf8').slice(keyPrefix.length);
}
