import type { Count } from '../../core/count.js';
import { utf8Encoder } from '../text-codecs.js';

/** Who answers: a NATS micro service. */
export interface ServiceIdentity {
  readonly name: string;
  /** Different for every instance of the service. */
  readonly id: string;
  /** Three numbers with dots. `0.0.1` in releases up to 0.6. */
  readonly version: string;
}

/** An endpoint of a service, as INFO tells it. */
export interface ServiceEndpoint {
  readonly name: string;
  readonly subject: string;
  readonly queueGroup: string;
}

/** An endpoint of a service with its counters, as STATS tells it. */
export interface ServiceEndpointCounters extends ServiceEndpoint {
  readonly numRequests: Count;
  readonly numErrors: Count;
  /** Nanoseconds of all requests together; a fraction is cut. */
  readonly processingTime: Count;
  /** Nanoseconds of one request; a fraction is cut. */
  readonly averageProcessingTime: Count;
  /** Empty where there was none, else `code:text`. */
  readonly lastError: string;
  /** JSON text of the endpoint's own statistics; `null` where it has none. */
  readonly data: string | null;
}

/** The reply to `$SRV.PING`. */
export function encodeServicePing(service: ServiceIdentity): Uint8Array<ArrayBuffer> {
  return utf8Encoder.encode(`{${headerMembers('ping', service)},"version":${quote(service.version)},"metadata":{}}`);
}

/** The reply to `$SRV.INFO`. */
export function encodeServiceInfo(
  service: ServiceIdentity & { readonly description: string; readonly endpoints: readonly ServiceEndpoint[] },
): Uint8Array<ArrayBuffer> {
  const endpoints = service.endpoints.map(
    (endpoint) => `{${addressMembers(endpoint)},${queueGroupMember(endpoint)},"metadata":{}}`,
  );
  return utf8Encoder.encode(
    `{${headerMembers('info', service)},"description":${quote(service.description)},"version":${quote(service.version)}` +
      `,"metadata":{},"endpoints":[${endpoints.join(',')}]}`,
  );
}

/**
 * The reply to `$SRV.STATS`, such that the aggregator of a real release reads it: every field is there, times are whole
 * nanoseconds, and no error is an empty text.
 *
 * @param service `started` is a time as RFC 3339 writes it.
 */
export function encodeServiceStats(
  service: ServiceIdentity & {
    readonly started: string;
    readonly endpoints: readonly ServiceEndpointCounters[];
  },
): Uint8Array<ArrayBuffer> {
  const endpoints = service.endpoints.map(
    (endpoint) =>
      `{${addressMembers(endpoint)},"num_requests":${integerText(endpoint.numRequests)}` +
      `,"num_errors":${integerText(endpoint.numErrors)}` +
      `,"processing_time":${integerText(endpoint.processingTime)}` +
      `,"average_processing_time":${integerText(endpoint.averageProcessingTime)}` +
      `,"last_error":${quote(endpoint.lastError)},"data":${endpoint.data},${queueGroupMember(endpoint)}}`,
  );
  return utf8Encoder.encode(
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

/** As digits only: a release that finds a fraction, or a number in exponents, does not see the endpoint. */
function integerText(count: Count): string {
  return BigInt(typeof count === 'bigint' ? count : Math.trunc(count)).toString();
}

function quote(value: string): string {
  return JSON.stringify(value);
}
