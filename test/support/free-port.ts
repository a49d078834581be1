import { createServer } from 'node:net';

// Below the range from which systems draw the ports of outgoing connections: a server that is down keeps its port,
// and a client that dials it again and again does not get connected to itself.
const LOWEST = 10_000;
const HIGHEST = 32_767;

/** An unused TCP port of the loopback interface. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
