import type { Count } from '../../core/count.js';
import { encodeUtf8 } from '../text-codecs.js';

/** The identity of one instance of a NATS micro service. */
export interface ServiceIdentity {
  readonly name: string;
  /** Unique for every instance of the service. */
  readonly id: string;
  /** A semantic version; `0.0.1` in Dynamo up to 0.6. */
  readonly version: string;
}

/** An endpoint of a service, as in an INFO reply. */
export interface ServiceEndpoint {
  readonly name: string;
  readonly subject: string;
  readonly queueGroup: string;
}

/** An endpoint of a service with its counters, as in a STATS reply. */
export interface ServiceEndpointCounters extends ServiceEndpoint {
  readonly numRequests: Count;
  readonly numErrors: Count;
  /** The total of all requests, in nanoseconds; a fraction is truncated. */
  readonly processingTime: Count;
  /** The average of one request, in nanoseconds; a fraction is truncated. */
  readonly averageProcessingTime: Count;
  /** `code:text`; empty if there was no error. */
  readonly lastError: string;
  /** The JSON text of the endpoint's own statistics; `null` if it has none. */
  readonly data: string | null;
}

/** Encodes the reply to `$SRV.PING`. */
export function encodeServicePing(service: ServiceIdentity): Uint8Array {
  return encodeUtf8(`{${headerMembers('ping', service)},"version":${quote(service.version)},"metadata":{}}`);
}

/** Encodes the reply to `$SRV.INFO`. */
export function encodeServiceInfo(
  service: ServiceIdentity & { readonly description: string; readonly endpoints: readonly ServiceEndpoint[] },
): Uint8Array {
  const endpoints = service.endpoints.map(
    (endpoint) => `{${addressMembers(endpoint)},${queueGroupMember(endpoint)},"metadata":{}}`,
  );
  return encodeUtf8(
    `{${headerMembers('info', service)},"description":${quote(service.description)},"version":${quote(service.version)}` +
      `,"metadata":{},"endpoints":[${endpoints.join(',')}]}`,
  );
}

/**
 * Encodes the reply to `$SRV.STATS` so that the aggregator of a real release accepts it: with every field, times in
 * whole nanoseconds, and an empty text for no error.
 *
 * @param service `started` is a time in the format of RFC 3339.
 */
export function encodeServiceStats(
  service: ServiceIdentity & {
    readonly started: string;
    readonly endpoints: readonly ServiceEndpointCounters[];
  },
): Uint8Array {
  const endpoints = service.endpoints.map(
    (endpoint) =>
      `{${addressMembers(endpoint)},"num_requests":${integerText(endpoint.numRequests)}` +
      `,"num_errors":${integerText(endpoint.numErrors)}` +
      `,"processing_time":${integerText(endpoint.processingTime)}` +
      `,"average_processing_time":${integerText(endpoint.averageProcessingTime)}` +
      `,"last_error":${quote(endpoint.lastError)},"data":${endpoint.data},${queueGroupMember(endpoint)}}`,
  );
  return encodeUtf8(
    `{${headerMembers('stats', service)},"version":${quote(service.version)},"started":${quote(service.started)}` +
      `,"endpoints":[${endpoints.join(',')}]}`,
  );
}

function headerMembers(kind: string, { name, id }: ServiceIdentity): string {
  return `"type":"io.nats.micro.v1.${kind}_response","name":${quote(name)},"id":${quote(id)}`;
}

function addressMembers({ name, subject }: ServiceEndpoint): string {
  return `"name":${quote(name)},"subject":${quote(subject)}`;
}

function queueGroupMember({ queueGroup }: ServiceEndpoint): string {
  return `"queue_group":${quote(queueGroup)}`;
}

/** As digits only: Dynamo ignores an endpoint whose counters have a fraction or an exponent. */
function integerText(count: Count): string {
  return BigInt(typeof count === 'bigint' ? count : Math.trunc(count)).toString();
}

function quote(value: string): string {
  return JSON.stringify(value);
}
