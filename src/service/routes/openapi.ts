import type { Route, Schema } from './route.js';

/** The description of routes as OpenAPI 3.1. */
export function openapi(routes: readonly Route[], version: string): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const { method, path, summary, parameters, requestBody, answers } of routes) {
    const at = path.replace(/:(\w+)/g, '{$1}');
    paths[at] = {
      ...paths[at],
      [method.toLowerCase()]: {
        summary,
        ...(parameters && {
          parameters: parameters.map(({ name, in: place, text, schema }) => ({
            name,
            in: place,
            required: place === 'path',
            description: text,
            schema,
          })),
        }),
        ...(requestBody && {
          requestBody: { required: true, content: { 'application/json': { schema: requestBody } } },
        }),
        ...(path === '/busy_threshold' && method === 'POST' && { security: [{}, { adminToken: [] }] }),
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
      description: 'Which workers of an LLM inference fleet are above their load marks, why, and since when.',
    },
    paths,
    components: { securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } } },
  };
}

function contentOf(content: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}
