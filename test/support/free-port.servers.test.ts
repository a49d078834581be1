import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from './free-port.js';
import { onFreePort } from './on-free-port.js';

describe('a free port', () => {
  it('can be listened on, and is not one that outgoing connections get', async () => {
    const port = await freePort();
    expect(port).toBeLessThan(32_768);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });

  it('that another process takes in the meantime is replaced', async () => {
    const asked: number[] = [];
    const started = await onFreePort((port) => {
      asked.push(port);
      return asked.length < 3
        ? Promise.reject(new Error('listen tcp: bind: address already in use'))
        : Promise.resolve(port);
    });
    expect(asked).toHaveLength(3);
    expect(started).toBe(asked[2]);
  });

  it('does not hide another failure', async () => {
    await expect(onFreePort(() => Promise.reject(new Error('wrong flag')))).rejects.toThrow('wrong flag');
  });
});
