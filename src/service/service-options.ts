import type { SchedulerLike } from 'rxjs';
import type { FrontendThresholds } from './frontends/frontend-thresholds.js';
import type { ApiRelease } from './http/busy-threshold/threshold-api.js';
import type { Pools } from './pools/pools.js';

/** How a service is served. */
export interface ServiceOptions {
  /** What is served: {@link FleetPools}, or one monitor of your own as {@link givenPool}. */
  readonly pools: Pools;
  /** Where it listens; `127.0.0.1` when absent. Elsewhere, what changes state needs the admin token. */
  readonly host?: string;
  /** `9420` when absent; 0 is any that is free. */
  readonly port?: number;
  /** Whose threshold API is spoken; `1.6` when absent. */
  readonly release?: ApiRelease;
  /** What a caller has to bring who changes state. */
  readonly adminToken?: string;
  /** Dynamo's frontends, whose marks are then in force in place of those set here. */
  readonly frontends?: FrontendThresholds;
  /** How many may read events at once; 1000 when absent. */
  readonly maxReaders?: number;
  /** How much may wait for one reader before it is behind, in bytes; 262 144 when absent. */
  readonly maxBufferedBytes?: number;
  /** How long a reader may be behind before it is cut, in milliseconds; 10 000 when absent. */
  readonly maxBehindMs?: number;
  /** How large the body of a request may be, in bytes; 2 097 152 when absent, as in Dynamo. */
  readonly maxBodyBytes?: number;
  /** How many events are kept for readers that come again; 1000 when absent. */
  readonly keptEvents?: number;
  /** The options of Fastify's own logger (pino), or `false`, which is also the default. */
  readonly logger?: false | { readonly level: string; readonly stream?: { write: (line: string) => void } };
  /** `monotonicScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
}

/** What was not said. */
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
