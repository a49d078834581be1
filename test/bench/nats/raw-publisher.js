import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { URL } from 'node:url';

/**
 * Publishes without the client, which delays a message for a millisecond to send it together with others. That delay
 * must not be part of the measured time of a message.
 *
 * @param {string} url
 * @returns {Promise<(subject: string, payload: Uint8Array) => void>}
 */
export async function rawPublisher(url) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  // The server sends first.
  await once(socket, 'data');
  socket.on('data', (data) => {
    if (data.includes('PING')) socket.write('PONG\r\n');
  });
  socket.write('CONNECT {"verbose":false,"pedantic":false}\r\n');
  return (subject, payload) => {
    socket.write(
      Buffer.concat([Buffer.from(`PUB ${subject} ${payload.length}\r\n`), payload, Buffer.from('\r\n')]),
    );
  };
}
