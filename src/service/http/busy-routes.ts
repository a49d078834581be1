import { busyReport } from '../queries/busy.js';
import { poolParameters, queriedPools } from './read-request.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /busy`. */
export function busyRoutes({ pools, summaries }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/busy',
      summary: 'List the busy workers, the state of each pool, and when to ask again',
      parameters: poolParameters,
      answers: { 200: json('The selected pools, and all of them together', schemas.busy) },
      answer: (request) => busyReport(queriedPools(request, pools).map((pool) => summaries.describe(pool))),
    },
  ];
}
