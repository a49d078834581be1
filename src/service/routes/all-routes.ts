import type { ServiceContext } from '../service-context.js';
import { fleetRoutes } from './fleet-routes.js';
import { frontendRoutes } from './frontend-routes.js';
import { healthRoutes } from './health-routes.js';
import { openapi } from './openapi.js';
import type { Route } from './route.js';
import { json, schemas } from './schemas.js';
import { streamRoutes } from './stream-routes.js';
import { thresholdRoutes } from './threshold-routes.js';
import { workerRoutes } from './worker-routes.js';

/** Every route of the service, in the order in which it is described. */
export function allRoutes(context: ServiceContext): readonly Route[] {
  const { version } = context;
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/',
      summary: 'What there is here',
      answers: { 200: json('The routes', schemas.index) },
      answer: () => ({
        name: 'tidemark',
        version,
        routes: routes.map(({ method, path }) => `${method} ${path}`),
      }),
    },
    ...thresholdRoutes(context),
    ...fleetRoutes(context),
    ...workerRoutes(context),
    ...streamRoutes(context),
    ...frontendRoutes(context),
    ...healthRoutes(context),
    {
      method: 'GET',
      path: '/openapi.json',
      summary: 'This description',
      answers: { 200: json('OpenAPI 3.1', schemas.anything) },
      answer: () => openapi(routes, version),
    },
  ];
  return routes;
}
