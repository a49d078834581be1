import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { registerWorker } from '../../../src/fleet/register-worker.js';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import { describeWith } from '../../support/describe-with.js';
import { freePort } from '../../support/free-port.js';
import { PrefixRecorder } from './prefix-recorder.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

/** A server that is not etcd, on a free port. */
async function startStranger(server: Server): Promise<AsyncDisposable & { url: string }> {
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

const strangers: readonly [string, () => Server, RegExp][] = [
  [
    'a server that greets first, as NATS does',
    () =>
      createTcpServer((socket) => {
        socket.on('error', () => undefined).resume();
        socket.end('INFO {"server_id":"N","version":"2.9.10","max_payload":1048576}\r\n');
      }),
    /does not use HTTP\/2.*Check the port: the client port of etcd is 2379/,
  ],
  [
    'an HTTP/1 server',
    () => createHttpServer((_, response) => response.end('hello')),
    /does not use HTTP\/2.*Check the port/,
  ],
  [
    'a server that closes at once',
    () => createTcpServer((socket) => socket.on('error', () => undefined).destroy()),
    /Check that etcd runs and listens at this address/,
  ],
];

describeWith('etcd', 'a host without etcd', () => {
  it.concurrent.each(strangers)('%s: reports a clear reason and keeps trying', async (_, make, text) => {
    await using stranger = await startStranger(make());
    using recorder = new PrefixRecorder({ hosts: stranger.url, prefixes: 'v1/' });
    const { why, retryInMs } = await recorder.until('down');
    expect(why).toContain(`etcd at ${stranger.url}, connecting: `);
    expect(why).toMatch(text);
    expect(retryInMs).toBeGreaterThan(0);
    await recorder.until('down', recorder.statusCount);
    expect(recorder.errors).toEqual([]);
  });

  it.concurrent('reports a closed port and an unknown host name', async () => {
    const hosts = [`http://127.0.0.1:${await freePort()}`, 'http://no-such-host.invalid:2379'];
    using recorder = new PrefixRecorder({ hosts, prefixes: 'v1/' });
    await recorder.until('down');
    await recorder.until('down', recorder.statusCount);
    const [refused = '', unknown = ''] = [...new Set(recorder.reasons.split('\n'))].filter(
      (why) => why !== '',
    );
    expect(refused).toMatch(
      /connecting: connect ECONNREFUSED .*Check that etcd runs and listens at this address/,
    );
    expect(unknown).toMatch(
      /^etcd at http:\/\/no-such-host\.invalid:2379, connecting: .*(ENOTFOUND|EAI_AGAIN)/,
    );
  });

  it.concurrent('connects once etcd replaces another server on the port', async () => {
    await using setup = await startEtcdBehindProxy();
    await using stranger = await startStranger(createHttpServer());
    using recorder = setup.record({ hosts: [stranger.url, setup.hosts] });
    await recorder.until('live');
    expect(recorder.reasons).toContain('does not use HTTP/2');
  });
});

describeWith('etcd', 'invalid options', () => {
  it('throw at once, with every problem', () => {
    const wrong = { hosts: ['ftp://x', 'http://a/b'], auth: { username: 'u', password: '' } };
    const error = expect.objectContaining({
      code: 'etcd-options',
      problems: [
        '"ftp://x" is not a valid host: write http://HOST:PORT or https://HOST:PORT',
        '"http://a/b" contains more than a host and a port: write http://HOST:PORT or https://HOST:PORT',
        'auth needs a username and a password',
      ],
    }) as Error;
    expect(() => watchPrefix({ ...wrong, prefixes: 'v1/' })).toThrow(error);
    expect(() =>
      registerWorker({
        etcd: wrong,
        namespace: 'n',
        component: 'c',
        endpoint: 'e',
        transport: { kind: 'tcp', address: '127.0.0.1:1/e' },
        release: '1.6',
      }),
    ).toThrow(error);
  });

  it('an empty list of prefixes is refused, because it would watch nothing and never be live', () => {
    expect(() => watchPrefix({ hosts: 'http://127.0.0.1:2379', prefixes: [] })).toThrow('prefixes');
  });
});
