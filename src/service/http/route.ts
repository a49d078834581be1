import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FrontendReport } from '../frontends/frontend-thresholds.js';
import type { Pools } from '../../fleet/pools/pools.js';
import type { PoolSummaries } from '../queries/pool-summary.js';
import type { EventReaders } from '../stream/event-readers.js';
import type { AdminGuard } from './admin-guard.js';
import type { ApiRelease } from './busy-threshold/threshold-api.js';
import type { MetricsPage } from './metrics-page.js';

/** A JSON schema as in OpenAPI 3.1. */
export type Schema = Readonly<Record<string, unknown>>;

/** The description of a response of a route. */
export interface RouteAnswer {
  readonly text: string;
  /** The schema of each media type; absent if the response has no body. */
  readonly content?: Readonly<Record<string, Schema>>;
}

/** A parameter of a route. */
export interface RouteParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly text: string;
  readonly schema: Schema;
}

/** A route: how it answers, and its OpenAPI description. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** In the syntax of Fastify: `/workers/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly parameters?: readonly RouteParameter[];
  readonly requestBody?: Schema;
  /** It needs the admin token. */
  readonly changesState?: true;
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => unknown;
}

/** The state that the routes of a running service use. */
export interface ServiceContext {
  readonly pools: Pools;
  readonly summaries: PoolSummaries;
  readonly version: string;
  readonly readers: EventReaders;
  readonly page: MetricsPage;
  readonly guard: AdminGuard;
  readonly release: ApiRelease;
  readonly maxBodyBytes: number;
  /** Resolves when the changes of thresholds so far are saved, or cannot be; at once without a file. */
  readonly saved: () => Promise<void>;
  /** The latest reports of Dynamo's frontends, and the clock of their times; `null` if none is configured. */
  readonly frontends: {
    readonly reports: () => readonly FrontendReport[];
    readonly now: () => number;
  } | null;
  /** Whether the service is stopping: it answers, but is not ready. */
  readonly isDraining: () => boolean;
  readonly startedAt: number;
  readonly now: () => number;
}
