import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { clearTimeout, setTimeout } from 'node:timers';
import { expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { openHandles } from './open-handles.js';

it('open handles - sockets of both sides, listeners and timers are counted until they are closed', async () => {
  const before = openHandles();
  const port = await freePort();
  const server = createServer((socket) => socket.resume()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = connect(port, '127.0.0.1');
  await accepted;
  const timer = setTimeout(() => undefined, 60_000);
  const during = openHandles();
  expect(during.listeners).toBe(before.listeners + 1);
  expect(during.sockets).toBe(before.sockets + 2);
  expect(during.timers).toBeGreaterThan(0);

  clearTimeout(timer);
  client.destroy();
  server.close();
  await eventually(() => {
    const { sockets, listeners } = openHandles();
    expect({ sockets, listeners }).toEqual({ sockets: before.sockets, listeners: before.listeners });
  });
});
