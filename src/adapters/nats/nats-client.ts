import type * as nats from 'nats';
import { loadPackage } from '../packages/load-package.js';

/** The package that speaks to NATS. */
export type NatsClient = typeof nats;

/**
 * Loads the package `nats` when a connection is wanted, not before: it is an optional peer, and a caller that brings a
 * connection does not need it.
 *
 * @throws PackageError
 */
export async function natsClient(): Promise<NatsClient> {
  return (await loadPackage('nats', () => import('nats'))).module;
}
