import { frontendDrift } from '../frontends/frontend-drift.js';
import { isoTime } from '../queries/pool-summary.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /frontends`. */
export function frontendRoutes({ frontends }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/frontends',
      summary:
        'List the Dynamo frontends whose thresholds are used, and the thresholds that differ between them',
      answers: { 200: json('The frontends; an empty list if none is configured', schemas.frontends) },
      answer: () => {
        if (frontends === null) return { frontends: [], drift: [] };
        const reports = frontends.reports();
        return {
          frontends: reports.map(({ url, state, since, why, thresholds }) => ({
            url,
            state,
            since: isoTime(frontends, since),
            ...(why !== undefined && { why }),
            models: [...thresholds.keys()].sort(),
          })),
          drift: frontendDrift(reports),
        };
      },
    },
  ];
}
