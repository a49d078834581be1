import type * as nats from 'nats';
import { NatsTrouble } from './nats-trouble.js';

/** The package that speaks to NATS. */
export type NatsClient = typeof nats;

/**
 * Loads the package `nats` when a connection is wanted, not before: it is an optional peer, and who brings a
 * connection needs none.
 *
 * @throws NatsTrouble, code `nats-package`, that says what to install.
 */
export async function natsClient(): Promise<NatsClient> {
  try {
    return await import('nats');
  } catch (cause) {
    throw new NatsTrouble('nats-package', 'The package nats is not installed: npm install nats', { cause });
  }
}
