import { busyReport } from '../queries/busy.js';
import { poolParameters, poolQuery } from './read-request.js';
import type { Route, ServiceContext } from './route.js';
import { json, problem, schemas } from './schemas.js';

/** `GET /busy`. */
export function busyRoutes({ pools, summaries }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/busy',
      summary: 'List the busy workers, the state of each model and pool, and when to ask again',
      parameters: poolParameters,
      answers: {
        200: json('The selected workers together, and each model and pool', schemas.busy),
        400: problem('A parameter is invalid'),
      },
      answer: (request) => busyReport(pools, poolQuery(request), summaries),
    },
  ];
}
