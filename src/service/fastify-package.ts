import type * as fastify from 'fastify';
import { ServiceError } from './service-error.js';

/**
 * Loads the package `fastify` when a service is started, not before: it is an optional peer.
 *
 * @throws ServiceError, code `fastify-package`, that says what to install.
 */
export async function fastifyPackage(): Promise<typeof fastify> {
  try {
    return await import('fastify');
  } catch (cause) {
    throw new ServiceError(
      500,
      'fastify-package',
      'The package fastify is not installed: npm install fastify',
      {
        cause,
      },
    );
  }
}
