import type { Socket } from 'node:net';

/** Waits until a socket is closed; whether an error closed it. */
export function socketClosed(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => socket.once('close', resolve));
}
