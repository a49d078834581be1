import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { startFaultProxy, type FaultProxy } from './fault-proxy.js';
import { freePort } from './free-port.js';
import { openHandles } from './open-handles.js';
import { socketClosed } from './socket-closed.js';

/** A connection of a client, with the received bytes. */
interface Client {
  readonly socket: Socket;
  readonly received: () => string;
  /** How it was closed, if it was. */
  readonly end: () => string | undefined;
}

const clients: Client[] = [];
let server: Server;
/** The server's side of the connections, and what it got. */
let served: Socket[] = [];
let got = '';
let proxy: FaultProxy;

beforeEach(async () => {
  served = [];
  got = '';
  server = createServer((socket) => {
    served.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString();
      socket.write(chunk);
    });
  });
  const port = await freePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  proxy = await startFaultProxy({ to: port });
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.stop();
  for (const socket of served) socket.destroy();
  server.close();
});

function open(): Client {
  const socket = connect(proxy.port, '127.0.0.1');
  let text = '';
  let end: string | undefined;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('end', () => (end ??= 'FIN'));
  socket.on('error', (error: NodeJS.ErrnoException) => (end ??= error.code));
  const client = { socket, received: () => text, end: () => end };
  clients.push(client);
  return client;
}

/** A connection over which something went there and back. */
async function echoed(text = 'a'): Promise<Client> {
  const client = open();
  client.socket.write(text);
  await eventually(() => expect(client.received()).toBe(text));
  return client;
}

/** One turn more than the network needs: another connection gets its echo, without the proxy. */
async function aRoundTripElsewhere(): Promise<void> {
  const { port } = server.address() as { port: number };
  for (let turn = 0; turn < 5; turn += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.write('-');
    await once(socket, 'data');
    socket.destroy();
  }
  got = got.replaceAll('-', '');
}

describe('a proxy without faults', () => {
  it('forwards both ways, counts, and forwards the end from either side', async () => {
    const [first, second] = [await echoed('one'), await echoed('two')];
    expect([proxy.connections, proxy.accepted]).toEqual([2, 2]);
    first.socket.end();
    await eventually(() => expect([proxy.connections, first.end()]).toEqual([1, 'FIN']));
    served[1]?.end();
    await eventually(() => expect([proxy.connections, second.end()]).toEqual([0, 'FIN']));
    expect(proxy.accepted).toBe(2);
  });

  it('forwards a reset from either side', async () => {
    const [first, second] = [await echoed(), await echoed()];
    served[0]?.resetAndDestroy();
    await eventually(() => expect(first.end()).toBe('ECONNRESET'));
    const reset = socketClosed(served[1]!);
    second.socket.resetAndDestroy();
    expect(await reset).toBe(true);
  });

  it('resets new connections while the server is down', async () => {
    server.close();
    const client = open();
    await eventually(() => expect(client.end()).toBe('ECONNRESET'));
    await eventually(() => expect(proxy.connections).toBe(0));
  });

  it('loses nothing of what is much', async () => {
    const bytes = Buffer.alloc(8_000_000, 'x');
    const client = open();
    client.socket.write(bytes);
    await eventually(() => expect(client.received().length).toBe(bytes.length));
  });
});

describe('a proxy', () => {
  it('closes all connections with a reset, and accepts new ones', async () => {
    const client = await echoed();
    const closed = socketClosed(served[0]!);
    proxy.cut();
    await eventually(() => expect(client.end()).toBe('ECONNRESET'));
    expect(await closed).toBe(true);
    await echoed();
  });

  it('finishes all connections in an orderly way', async () => {
    const client = await echoed();
    const closed = socketClosed(served[0]!);
    proxy.finish();
    await eventually(() => expect(client.end()).toBe('FIN'));
    expect(await closed).toBe(false);
    await eventually(() => expect(proxy.connections).toBe(0));
  });

  it('refuses, while the connections that are open go on', async () => {
    const before = await echoed('a');
    await proxy.refuse(true);
    const refused = open();
    await eventually(() => expect(refused.end()).toBe('ECONNREFUSED'));
    before.socket.write('b');
    await eventually(() => expect(before.received()).toBe('ab'));
    await proxy.refuse(false);
    await proxy.refuse(false);
    await echoed();
  });

  it('accepts and holds connections without answering, even after recovery', async () => {
    proxy.hold(true);
    const held = open();
    held.socket.write('hello?');
    await eventually(() => expect([proxy.connections, proxy.accepted]).toEqual([1, 1]));
    await proxy.heal();
    await echoed('b');
    expect([held.received(), held.end(), got]).toEqual(['', undefined, 'b']);
    held.socket.end();
    await eventually(() => expect(proxy.connections).toBe(1));
  });

  it('resets and finishes held connections too', async () => {
    proxy.hold(true);
    const cut = open();
    await eventually(() => expect(proxy.accepted).toBe(1));
    proxy.cut();
    await eventually(() => expect(cut.end()).toBe('ECONNRESET'));
    const finished = open();
    await eventually(() => expect(proxy.accepted).toBe(2));
    proxy.finish();
    await eventually(() => expect([finished.end(), proxy.connections]).toEqual(['FIN', 0]));
  });

  it('delays, in order, until it is healed', async () => {
    const client = await echoed('a');
    proxy.delay(3_600_000);
    client.socket.write('b');
    await aRoundTripElsewhere();
    expect(client.received()).toBe('a');
    proxy.delay(1);
    client.socket.write('c');
    await eventually(() => expect(client.received()).toBe('abc'));
    proxy.delay(3_600_000);
    client.socket.write('d');
    await aRoundTripElsewhere();
    expect(client.received()).toBe('abc');
    await proxy.heal();
    await eventually(() => expect(client.received()).toBe('abcd'));
  });

  it('puts bytes into both streams', async () => {
    const client = await echoed('a');
    proxy.inject('!', 'toClient');
    await eventually(() => expect([client.received(), got]).toEqual(['a!', 'a']));
    proxy.inject(new Uint8Array([63]), 'toServer');
    await eventually(() => expect([client.received(), got]).toEqual(['a!?', 'a?']));
  });

  it('leaves nothing open when it is stopped', async () => {
    const count = (): { sockets: number; listeners: number } => {
      const { sockets, listeners } = openHandles();
      return { sockets, listeners };
    };
    // The echo server and its proxy; what earlier tests closed takes a moment to go.
    await eventually(() => expect(count()).toEqual({ sockets: 0, listeners: 2 }));
    const other = await startFaultProxy({ to: proxy.port });
    const client = connect(other.port, '127.0.0.1');
    client.on('error', () => undefined).write('a');
    await once(client, 'data');
    other.hold(true);
    connect(other.port, '127.0.0.1').on('error', () => undefined);
    await eventually(() => expect(other.connections).toBe(2));
    await other.stop();
    await eventually(() => expect(count()).toEqual({ sockets: 0, listeners: 2 }));
  });
});

describe('a half-open proxy', () => {
  it.each([
    { directions: 'both', there: false, back: false },
    { directions: 'toServer', there: false, back: true },
    { directions: 'toClient', there: true, back: false },
  ] as const)('$directions: stops old and new connections, and continues', async (faults) => {
    const client = await echoed('a');
    proxy.halfOpen(faults.directions);
    client.socket.write('b');
    served[0]?.write('!');
    const late = open();
    late.socket.write('c');
    if (faults.there) await eventually(() => expect([...got].sort().join('')).toBe('abc'));
    if (faults.back) await eventually(() => expect(client.received()).toBe('a!'));
    await aRoundTripElsewhere();
    if (!faults.there) expect(got).toBe('a');
    if (!faults.back) expect(client.received()).toBe('a');
    expect([client.end(), late.end(), late.received()]).toEqual([undefined, undefined, '']);

    await proxy.heal();
    await eventually(() => {
      expect([...got].sort().join('')).toBe('abc');
      expect([[...client.received()].sort().join(''), late.received()]).toEqual(['!ab', 'c']);
    });
  });

  it('stops reading, so that a sender cannot go on', async () => {
    const client = await echoed('a');
    proxy.halfOpen('toServer');
    const bytes = Buffer.alloc(1_000_000, 'x');
    let sent = 0;
    // Less than 100 MB fit into the buffers of a system.
    while (client.socket.writableLength < bytes.length && sent < 100 * bytes.length) {
      client.socket.write(bytes);
      sent += bytes.length;
      await aRoundTripElsewhere();
    }
    expect(client.socket.writableLength).toBeGreaterThanOrEqual(bytes.length);
    await proxy.heal();
    await eventually(() => expect(client.received().length).toBe(1 + sent));
  });

  it.each(['end', 'resetAndDestroy'] as const)('passes on a %s only when it is healed', async (how) => {
    const [first, second] = [await echoed(), await echoed()];
    proxy.halfOpen('both');
    first.socket[how]();
    served[1]?.[how]();
    await aRoundTripElsewhere();
    expect([served[0]?.readableEnded, served[0]?.closed, second.end()]).toEqual([false, false, undefined]);
    await proxy.heal();
    await eventually(() => {
      expect(served[0]?.closed).toBe(true);
      expect(second.end()).toBe(how === 'end' ? 'FIN' : 'ECONNRESET');
      expect(proxy.connections).toBe(0);
    });
  });

  it('remembers a reset that only the open direction noticed', async () => {
    const client = await echoed();
    proxy.halfOpen('toServer');
    client.socket.resetAndDestroy();
    await eventually(() => {
      served[0]?.write('!');
      expect(proxy.connections).toBe(0);
    });
    expect(served[0]?.closed).toBe(false);
    await proxy.heal();
    await eventually(() => expect(served[0]?.closed).toBe(true));
  });

  it('can be reset', async () => {
    const client = await echoed();
    proxy.halfOpen('both');
    proxy.cut();
    await eventually(() => expect([client.end(), served[0]?.closed]).toEqual(['ECONNRESET', true]));
  });
});
