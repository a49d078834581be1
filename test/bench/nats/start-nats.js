import { URL } from 'node:url';

// The server of the tests is TypeScript; `npm run bench` builds it.
const built = new URL('../../../dist/.soak/test/support/nats-server.js', import.meta.url);

/** Starts a NATS server on a free port; it ends when it is disposed of, or with this process. */
export async function startNats() {
  /** @type {typeof import('../../support/nats-server.js')} */
  const support = await import(built.href);
  return support.startNats();
}
