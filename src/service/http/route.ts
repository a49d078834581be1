import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FrontendReport } from '../frontends/frontend-thresholds.js';
import type { Pools } from '../pools/pools.js';
import type { PoolSummaries } from '../queries/pool-summary.js';
import type { EventReaders } from '../stream/event-readers.js';
import type { AdminGuard } from './admin-guard.js';
import type { ApiRelease } from './busy-threshold/threshold-api.js';
import type { MetricsPage } from './metrics-page.js';

/** A JSON schema, as OpenAPI has it. */
export type Schema = Readonly<Record<string, unknown>>;

/** One answer of a route, for its description. */
export interface RouteAnswer {
  readonly text: string;
  /** Media types and what they hold; absent, the answer has no body. */
  readonly content?: Readonly<Record<string, Schema>>;
}

/** One parameter of a route. */
export interface RouteParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly text: string;
  readonly schema: Schema;
}

/** A route: what it answers, and what the document says of it. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** As Fastify writes it: `/workers/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly parameters?: readonly RouteParameter[];
  readonly requestBody?: Schema;
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => unknown;
}

/** What the routes of a running service work on. */
export interface ServiceContext {
  readonly pools: Pools;
  readonly summaries: PoolSummaries;
  readonly version: string;
  readonly readers: EventReaders;
  readonly page: MetricsPage;
  readonly guard: AdminGuard;
  readonly release: ApiRelease;
  readonly maxBodyBytes: number;
  /** What Dynamo's frontends said last; `null` when none is followed. */
  readonly frontends: () => readonly FrontendReport[] | null;
  /** Whether the service is ending: it answers, and is not ready. */
  readonly isDraining: () => boolean;
  readonly startedAt: number;
  readonly now: () => number;
}
