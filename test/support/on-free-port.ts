import { freePort } from './free-port.js';

const ATTEMPTS = 5;

/** Starts a server on a free port, and on another one if the port has been taken in the meantime. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (left === 0 || !/address already in use|EADDRINUSE/.test(String(error))) throw error;
    }
  }
}
