import { describe, expect, it } from 'vitest';
import { EtcdError, toEtcdError } from '../../../src/adapters/etcd/etcd-error.js';

const withCode = (code: string, text: string): Error => Object.assign(new Error(text), { code });

describe('troubleOf', () => {
  it.each([
    [withCode('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:2379'), 'etcd-unreachable'],
    [withCode('ENOTFOUND', 'getaddrinfo ENOTFOUND nowhere'), 'etcd-unreachable'],
    [new Error('14 UNAVAILABLE: Connection dropped'), 'etcd-unreachable'],
    [new Error('no answer: timed out after 5000 ms'), 'etcd-silent'],
    [new Error('4 DEADLINE_EXCEEDED: Deadline exceeded'), 'etcd-silent'],
    [withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'), 'etcd-tls'],
    [withCode('EPROTO', 'write EPROTO: wrong version number'), 'etcd-tls'],
    [
      new Error('3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password'),
      'etcd-auth',
    ],
    [new Error('etcdserver: user name is empty'), 'etcd-auth'],
    [new Error('etcdserver: permission denied'), 'etcd-permission'],
    [new Error('12 UNIMPLEMENTED: unknown service etcdserverpb.KV'), 'etcd-not-etcd'],
    [new Error('11 OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted'), 'etcd-compacted'],
    [new Error('etcdserver: no leader'), 'etcd-failed'],
    ['a text', 'etcd-failed'],
  ])('%s', (error, code) => {
    expect(toEtcdError(error, 'http://e:2379', 'listing v1/').code).toBe(code);
  });

  it('names the server, the action, the reason and what to check', () => {
    const cause = withCode('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:2379');
    const trouble = toEtcdError(cause, 'http://10.0.0.1:2379', 'connecting');
    expect(trouble.message).toBe(
      'etcd at http://10.0.0.1:2379, connecting: connect ECONNREFUSED 10.0.0.1:2379. ' +
        'Check that etcd runs and listens at this address.',
    );
    expect(trouble.cause).toBe(cause);
  });

  it('stays what it is', () => {
    const trouble = new EtcdError('etcd-history', 'old');
    expect(toEtcdError(trouble, 'http://e:2379', 'listing')).toBe(trouble);
  });
});
