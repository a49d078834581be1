import type { SchedulerLike } from 'rxjs';
import {
  type OptionRule,
  aNumber,
  aScheduler,
  aString,
  isRecord,
  optionProblems,
  recordOf,
  required,
} from '../core/option-problems.js';
import { ServiceError } from './service-error.js';
import type { FrontendThresholds } from './frontends/frontend-thresholds.js';
import type { ApiRelease } from './http/busy-threshold/threshold-api.js';
import type { Pools } from '../fleet/pools/pools.js';

/** The options of {@link startService}. */
export interface ServiceOptions {
  /** The pools to serve: {@link FleetPools}, or a monitor of your own with {@link givenPool}. */
  readonly pools: Pools;
  /** The address to listen on; `127.0.0.1` when absent. If other machines can reach it, changes need the admin token. */
  readonly host?: string;
  /** The port to listen on; `9420` when absent. 0 picks a free port. */
  readonly port?: number;
  /** The Dynamo release whose threshold API is served; `1.6` when absent. */
  readonly release?: ApiRelease;
  /** The token required for requests that change state. */
  readonly adminToken?: string;
  /** Dynamo's frontends. Their thresholds are then in force, and the service refuses to set thresholds. */
  readonly frontends?: FrontendThresholds;
  /**
   * The file in which the thresholds that were set are kept, so that they survive a restart. Services that share a file
   * have the same thresholds. It replaces what the book of the pools has at the start.
   */
  readonly state?: string;
  /** The maximum number of concurrent event streams; 1000 when absent. */
  readonly maxReaders?: number;
  /** How many bytes may wait for one reader before it is behind; 262 144 when absent. */
  readonly maxBufferedBytes?: number;
  /** How long a reader may be behind before it is disconnected, in milliseconds; 10 000 when absent. */
  readonly maxBehindMs?: number;
  /** The maximum size of a request body in bytes; 2 097 152 when absent, as in Dynamo. */
  readonly maxBodyBytes?: number;
  /** The number of events that are kept for readers that reconnect; 1000 when absent. */
  readonly keptEvents?: number;
  /** The options of Fastify's logger (pino); `false` when absent. */
  readonly logger?: false | { readonly level: string; readonly stream?: { write: (line: string) => void } };
  /**
   * The source of time for heartbeats, slow readers and the uptime; `monotonicScheduler` when absent. Times of workers and
   * sources are those of the monitors.
   */
  readonly scheduler?: SchedulerLike;
}

const optionRules: Readonly<Record<keyof ServiceOptions, OptionRule>> = {
  pools: required({
    what: 'the result of givenPool() or a FleetPools',
    is: (value) => typeof value === 'object' && value !== null && 'list' in value,
  }),
  host: aString,
  port: aNumber,
  release: aString,
  adminToken: aString,
  frontends: recordOf('the result of frontendThresholds()', () => true),
  state: aString,
  maxReaders: aNumber,
  maxBufferedBytes: aNumber,
  maxBehindMs: aNumber,
  maxBodyBytes: aNumber,
  keptEvents: aNumber,
  logger: { what: 'false or options of pino', is: (value) => value === false || isRecord(value) },
  scheduler: aScheduler,
};

/** @throws ServiceError, code `service-options`, with all problems */
export function requireServiceOptions(options: ServiceOptions): void {
  const problems = optionProblems('startService', options, optionRules);
  if (problems.length > 0) throw new ServiceError(500, 'service-options', `${problems.join('; ')}.`);
}

/** The default values of {@link ServiceOptions}. */
export const serviceDefaults = {
  host: '127.0.0.1',
  port: 9420,
  release: '1.6',
  maxReaders: 1000,
  maxBufferedBytes: 262_144,
  maxBehindMs: 10_000,
  maxBodyBytes: 2_097_152,
  keptEvents: 1000,
} as const satisfies Partial<ServiceOptions>;
