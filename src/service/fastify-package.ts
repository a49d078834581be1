import type * as fastify from 'fastify';
import { loadPackage, type LoadedPackage } from '../adapters/packages/load-package.js';

/**
 * Loads the package `fastify` when a service is started, not before: it is an optional peer.
 *
 * @throws PackageError
 */
export function fastifyPackage(): Promise<LoadedPackage<typeof fastify>> {
  return loadPackage('fastify', () => import('fastify'));
}
