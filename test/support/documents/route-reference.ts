import { ServedFleet } from '../served-fleet.js';
import { markdownTable } from './markdown-table.js';

interface OpenApi {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly summary: string;
            readonly parameters?: readonly { readonly name: string; readonly description: string }[];
            readonly responses: Readonly<Record<string, unknown>>;
          }
        >
      >
    >
  >;
}

/** The routes of the service, from its OpenAPI description. */
export async function routesTable(): Promise<string> {
  await using fleet = await ServedFleet.start();
  const { paths } = (await (await fetch(`${fleet.url}/openapi.json`)).json()) as OpenApi;
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, parameters = [], responses }]) => [
      `\`${method.toUpperCase()} ${path}\``,
      summary,
      parameters.map(({ name, description }) => `\`${name}\`: ${description}`).join('; '),
      Object.keys(responses).join(', '),
    ]),
  );
  return markdownTable(['route', 'what it does', 'parameters', 'status codes'], rows);
}
