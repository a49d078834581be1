import type * as fastify from 'fastify';
import { compareVersions } from '../adapters/packages/compare-versions.js';
import type { LoadedPackage } from '../adapters/packages/load-package.js';

type ReleaseOptions = Pick<
  fastify.FastifyServerOptions,
  'disableRequestLogging' | 'logController' | 'maxParamLength' | 'routerOptions'
>;

/**
 * The options whose names differ between the releases of Fastify 5: none of them prints a deprecation.
 *
 * 1. Requests are not logged: a service that is scraped and polled would log little else.
 * 2. A parameter of a path may be as long as the headers.
 */
export function releaseOptions(
  { module, version }: LoadedPackage<Partial<typeof fastify>>,
  { maxParamLength }: { readonly maxParamLength: number },
): ReleaseOptions {
  const { LogController } = module;
  return {
    ...(LogController === undefined
      ? { disableRequestLogging: true }
      : { logController: new LogController({ disableRequestLogging: true }) }),
    ...(version !== undefined && compareVersions(version, '5.5.0') < 0
      ? { maxParamLength }
      : { routerOptions: { maxParamLength } }),
  };
}
