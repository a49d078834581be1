import { frontendDrift } from '../frontends/frontend-drift.js';
import { isoTime } from '../stream/server-sent-events.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /frontends`. */
export function frontendRoutes({ frontends }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/frontends',
      summary: 'The Dynamo frontends whose marks are followed, and the marks on which they do not agree',
      answers: { 200: json('None, when none is followed', schemas.frontends) },
      answer: () => {
        const reports = frontends() ?? [];
        return {
          frontends: reports.map(({ url, state, since, why, thresholds }) => ({
            url,
            state,
            since: isoTime(since),
            ...(why !== undefined && { why }),
            models: [...thresholds.keys()].sort(),
          })),
          drift: frontendDrift(reports),
        };
      },
    },
  ];
}
