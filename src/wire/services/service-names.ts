import type { WorkerId } from '../../core/worker-id.js';
import { toSlug } from '../text-codecs.js';

/** The endpoint whose statistics are a worker's load, in Dynamo up to 0.6. */
export const LOAD_METRICS_ENDPOINT = 'load_metrics';

/** The kinds of requests that a NATS micro service answers. */
export type ServiceVerb = 'PING' | 'INFO' | 'STATS';

/**
 * The service name of the workers of a component, up to release 0.8.
 *
 * @example
 * ```ts
 * import { serviceName } from 'tidemark/wire';
 *
 * console.log(serviceName('dynamo', 'backend'), serviceName('a.b', 'C'));
 * // Logs: dynamo_backend a_b_c
 * ```
 */
export function serviceName(namespace: string, component: string): string {
  return toSlug(`${namespace}_${component}`);
}

/**
 * The subject of an endpoint of a service: with the hexadecimal id of a worker, or without an id for the static worker.
 * The subject without an id is a prefix of the subjects of all workers.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { serviceSubject } from 'tidemark/wire';
 *
 * console.log(serviceSubject('dynamo_backend', 'load_metrics', workerId('7587888657184927289')));
 * // Logs: dynamo_backend.load_metrics-694d988806b92e39
 * ```
 */
export function serviceSubject(service: string, endpoint: string, worker?: WorkerId): string {
  const suffix = worker === undefined ? '' : `-${BigInt(worker).toString(16)}`;
  return `${service}.${endpoint}${suffix}`;
}

/** The name of the endpoint with that subject in INFO and STATS replies: dots become dashes. */
export function serviceEndpointName(subject: string): string {
  return subject.replaceAll('.', '-');
}

/**
 * The subject for requests to services: to all of them, to all with a name, or to the one with that name and id.
 *
 * @example
 * ```ts
 * import { serviceRequestSubject } from 'tidemark/wire';
 *
 * console.log(serviceRequestSubject('STATS', 'dynamo_backend'));
 * // Logs: $SRV.STATS.dynamo_backend
 * ```
 */
export function serviceRequestSubject(verb: ServiceVerb, service?: string, id?: string): string {
  return ['$SRV', verb, service, service === undefined ? undefined : id]
    .filter((part) => part !== undefined)
    .join('.');
}
