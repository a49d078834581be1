import { Etcd3 } from 'etcd3';
import { Etcd3 as OldEtcd3 } from 'etcd3-lowest';
import { describe, expect, it } from 'vitest';
import { EtcdOptionsError, parseEtcdHosts, toEtcdOptions } from '../../../src/adapters/etcd/etcd-options.js';

describe.each([
  ['the newest release', Etcd3],
  ['the oldest supported release', OldEtcd3 as unknown as typeof Etcd3],
])('a client of etcd3, %s', (_, Client) => {
  it('gives its hosts and its credentials', () => {
    const client = new Client({
      hosts: ['http://10.0.0.1:2379', 'http://etcd.local'],
      auth: { username: 'me', password: 'secret' },
    });
    const options = toEtcdOptions(client);
    expect(options).toEqual({
      hosts: ['http://10.0.0.1:2379', 'http://etcd.local'],
      auth: { username: 'me', password: 'secret' },
    });
    expect(parseEtcdHosts(options).map(({ url }) => url)).toEqual([
      'http://10.0.0.1:2379',
      'http://etcd.local:2379',
    ]);
    client.close();
  });

  it('without credentials gives its hosts', () => {
    const client = new Client({ hosts: '127.0.0.1:2379' });
    expect(toEtcdOptions(client)).toEqual({ hosts: '127.0.0.1:2379' });
    client.close();
  });
});

it('gives its certificates and the name of its servers too', () => {
  const [certChain, privateKey] = [Buffer.from('cert'), Buffer.from('key')];
  const options = {
    hosts: 'https://h',
    credentials: { rootCertificate: null, certChain, privateKey },
    grpcOptions: { 'grpc.ssl_target_name_override': 'etcd.internal' },
  };
  const client = { kv: {}, watchClient: {}, close: () => undefined, pool: { options } };
  expect(toEtcdOptions(client)).toEqual({
    hosts: 'https://h',
    tls: { cert: certChain, key: privateKey, serverName: 'etcd.internal' },
  });
});

it('a client whose options cannot be read is refused, with what to give instead', () => {
  const client = { kv: {}, watchClient: {}, close: () => undefined };
  expect(() => toEtcdOptions(client)).toThrow(EtcdOptionsError);
  expect(() => toEtcdOptions(client)).toThrow('give hosts, auth and tls instead');
});
