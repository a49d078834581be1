import { listWorkerIds } from '../queries/list-workers.js';
import { isoTime, poolLabel } from '../queries/pool-summary.js';
import { notReadyReasons } from '../queries/readiness.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /healthz` and `/readyz`, and `/health` and `/live` as in Dynamo's frontend. */
export function healthRoutes({ pools, readers, now, startedAt, isDraining }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      summary: 'Check that the process answers',
      answers: { 200: json('The process answers', schemas.health) },
      answer: () => ({
        status: 'ok',
        uptimeSeconds: Math.floor((now() - startedAt) / 1000),
        eventReaders: readers.size,
        readersCut: readers.cutCount,
      }),
    },
    {
      method: 'GET',
      path: '/readyz',
      summary: 'Check that the answers are reliable: every source has reported and is live',
      answers: {
        200: json('Ready', schemas.readiness),
        503: json('Not ready, with the reasons', schemas.readiness),
      },
      answer: (_, reply) => {
        const sources = pools.sourceMonitor.snapshot()?.status ?? [];
        const why = notReadyReasons(sources, pools.sourceCount, isDraining());
        reply.status(why.length === 0 ? 200 : 503);
        return {
          ready: why.length === 0,
          why,
          sources: sources.map((status) => ({
            ...status,
            since: isoTime(pools.sourceMonitor, status.since),
          })),
        };
      },
    },
    {
      method: 'GET',
      path: '/health',
      summary: 'Answer like Dynamo’s frontend, but without the transport of the instances',
      answers: { 200: json('Healthy', schemas.anything) },
      answer: (_, reply) => {
        const list = pools.list();
        const instances = list.flatMap(({ name: { endpoint }, monitor }) => {
          return listWorkerIds(monitor).map((id) => ({ ...endpoint, instance_id: id }));
        });
        const endpoints = [...new Set(list.map((pool) => `dyn://${poolLabel(pool).endpoint}`))];
        const text = JSON.stringify({ status: 'healthy', endpoints, instances });
        reply.type('application/json');
        // Dynamo writes ids as numbers, even above 2^53.
        return text.replace(/"instance_id":"(\d+)"/g, '"instance_id":$1');
      },
    },
    {
      method: 'GET',
      path: '/live',
      summary: 'Answer like Dynamo’s frontend',
      answers: { 200: json('Live', schemas.live) },
      answer: () => ({ status: 'live', message: 'Service is live' }),
    },
  ];
}
