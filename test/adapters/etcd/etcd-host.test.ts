import { describe, expect, it } from 'vitest';
import {
  type EtcdOptions,
  EtcdOptionsError,
  parseEtcdHosts,
} from '../../../src/adapters/etcd/etcd-options.js';

const problemsOf = (options: EtcdOptions): readonly string[] => {
  try {
    parseEtcdHosts(options);
  } catch (error) {
    if (error instanceof EtcdOptionsError) return error.problems;
  }
  return [];
};

describe('etcdHosts', () => {
  it.each([
    ['http://10.0.0.1:2379', 'http://10.0.0.1:2379', false],
    ['10.0.0.1', 'http://10.0.0.1:2379', false],
    ['etcd.local:4001', 'http://etcd.local:4001', false],
    ['https://etcd.local/', 'https://etcd.local:2379', true],
    ['https://etcd.local:443', 'https://etcd.local:443', true],
    ['http://etcd.local:80', 'http://etcd.local:80', false],
    ['http://[::1]:2379', 'http://[::1]:2379', false],
  ])('%s is %s', (hosts, url, secure) => {
    expect(parseEtcdHosts({ hosts })).toMatchObject([{ url, secure }]);
  });

  it('an address of the sixth version is connected to without its brackets', () => {
    expect(parseEtcdHosts({ hosts: 'http://[::1]:2379' })[0]?.hostname).toBe('::1');
  });

  it('reports all problems at once', () => {
    const hosts = ['ftp://x', 'http://x/path', 'http://'];
    expect(problemsOf({ hosts, auth: { username: '', password: 'x' }, tls: { cert: 'c' } })).toEqual([
      '"ftp://x" is not a valid host: write http://HOST:PORT or https://HOST:PORT',
      '"http://x/path" contains more than a host and a port: write http://HOST:PORT or https://HOST:PORT',
      '"http://" is not a valid host: write http://HOST:PORT or https://HOST:PORT',
      'tls.cert and tls.key need each other: give both or neither',
      'auth needs a username and a password',
    ]);
    expect(problemsOf({ hosts: [] })).toEqual([
      'hosts must name at least one server, such as http://127.0.0.1:2379',
    ]);
    expect(problemsOf({ hosts: 'http://x', tls: {} })).toEqual(['tls needs hosts that begin with https://']);
  });

  it('keeps a password in a URL out of the message', () => {
    const [problem] = problemsOf({ hosts: 'http://root:hunter2@etcd:2379' });
    expect(problem).toContain('contains a user');
    expect(problem).not.toContain('hunter2');
  });
});
