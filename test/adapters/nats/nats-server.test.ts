import { describe, expect, it } from 'vitest';
import {
  type NatsOptions,
  NatsOptionsError,
  parseNatsServers,
} from '../../../src/adapters/nats/nats-options.js';

const problemsOf = (options: NatsOptions): readonly string[] => {
  try {
    parseNatsServers(options);
  } catch (error) {
    if (error instanceof NatsOptionsError) return error.problems;
  }
  return [];
};

describe('natsServers', () => {
  it.each([
    ['nats://10.0.0.1:4222', 'nats://10.0.0.1:4222', false],
    ['10.0.0.1', 'nats://10.0.0.1:4222', false],
    ['tls://nats.local', 'tls://nats.local:4222', true],
    ['nats://[::1]:4333', 'nats://[::1]:4333', false],
  ])('%s is %s', (servers, url, secure) => {
    expect(parseNatsServers({ servers })).toMatchObject([{ url, secure, auth: null }]);
  });

  it('takes several from one text, as an environment variable holds them', () => {
    expect(parseNatsServers({ servers: 'nats://a:1, nats://b:2' }).map(({ url }) => url)).toEqual([
      'nats://a:1',
      'nats://b:2',
    ]);
  });

  it.each([
    ['nats://me:p%40ss@h', { user: 'me', password: 'p@ss' }],
    ['nats://secret@h', { token: 'secret' }],
    ['nats://%zz@h', { token: '%zz' }],
  ])('credentials may be part of the URL, and are not shown: %s', (servers, auth) => {
    expect(parseNatsServers({ servers })).toMatchObject([{ auth, url: 'nats://h:4222' }]);
  });

  it('reports all problems at once, without a password', () => {
    const servers = ['http://me:hunter2@x', 'nats://'];
    const problems = problemsOf({ servers, tls: { key: 'k' } });
    expect(problems).toEqual([
      '"http://…@x" is not a valid server: write nats://HOST:PORT or tls://HOST:PORT',
      '"nats://" is not a valid server: write nats://HOST:PORT or tls://HOST:PORT',
      'tls.cert and tls.key need each other: give both or neither',
    ]);
    expect(problemsOf({ servers: [] })).toEqual([
      'servers must name at least one server, such as nats://127.0.0.1:4222',
    ]);
  });
});
