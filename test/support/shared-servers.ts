import { afterAll } from 'vitest';
import { startEtcd, type EtcdServer } from './etcd-server.js';
import { startNats, type NatsServer } from './nats-server.js';

let nats: Promise<NatsServer> | undefined;
let etcd: Promise<EtcdServer> | undefined;
afterAll(async () => {
  await Promise.all([(await nats)?.stop(), (await etcd)?.stop()]);
});

/**
 * The NATS server that the tests of one file share. It has no options. A test that ends, pauses or restarts its server
 * starts its own. Tests that share a server use unique names.
 */
export function sharedNats(): Promise<NatsServer> {
  nats ??= startNats();
  return nats;
}

/** The etcd that the tests of one file share, for the same tests. */
export function sharedEtcd(): Promise<EtcdServer> {
  etcd ??= startEtcd();
  return etcd;
}

let names = 0;

/** A name that is unique in the file. */
export function ownName(name: string): string {
  names += 1;
  return `${name}_${names}`;
}
