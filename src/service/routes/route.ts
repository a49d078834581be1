import type { FastifyReply, FastifyRequest } from 'fastify';

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
