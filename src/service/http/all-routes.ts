import { busyRoutes } from './busy-routes.js';
import { frontendRoutes } from './frontend-routes.js';
import { healthRoutes } from './health-routes.js';
import type { Route, Schema, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';
import { streamRoutes } from './stream-routes.js';
import { thresholdBookRoutes } from './threshold-book-routes.js';
import { thresholdRoutes } from './threshold-routes.js';
import { workerRoutes } from './worker-routes.js';

/** All routes of the service, in the order of the OpenAPI description. */
export function allRoutes(context: ServiceContext): readonly Route[] {
  const { version } = context;
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/',
      summary: 'List the routes',
      answers: { 200: json('The routes', schemas.index) },
      answer: () => ({
        name: 'tidemark',
        version,
        routes: routes.map(({ method, path }) => `${method} ${path}`),
      }),
    },
    ...thresholdRoutes(context),
    ...thresholdBookRoutes(context),
    ...busyRoutes(context),
    ...workerRoutes(context),
    ...streamRoutes(context),
    ...frontendRoutes(context),
    ...healthRoutes(context),
    {
      method: 'GET',
      path: '/openapi.json',
      summary: 'Get this description',
      answers: { 200: json('OpenAPI 3.1', schemas.anything) },
      answer: () => openapi(routes, version),
    },
  ];
  return routes;
}

/** Describes routes as OpenAPI 3.1. */
function openapi(routes: readonly Route[], version: string): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const { method, path, summary, parameters, requestBody, changesState, answers } of routes) {
    const openapiPath = path.replace(/:(\w+)/g, '{$1}');
    paths[openapiPath] = {
      ...paths[openapiPath],
      [method.toLowerCase()]: {
        summary,
        ...(parameters && {
          parameters: parameters.map(({ name, in: location, text, schema }) => ({
            name,
            in: location,
            required: location === 'path',
            description: text,
            schema,
          })),
        }),
        ...(requestBody && {
          requestBody: { required: true, content: { 'application/json': { schema: requestBody } } },
        }),
        ...(changesState && { security: [{}, { adminToken: [] }] }),
        responses: Object.fromEntries(
          Object.entries(answers).map(([status, { text, content }]) => [
            status,
            { description: text, ...(content && { content: contentOf(content) }) },
          ]),
        ),
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'tidemark',
      version,
      description:
        'Which workers of an LLM inference fleet are above their load thresholds, why, and since when.',
    },
    paths,
    components: { securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } } },
  };
}

function contentOf(content: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}
