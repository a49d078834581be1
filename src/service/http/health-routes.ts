import { listWorkerIds } from '../queries/list-workers.js';
import { stateOfModels, summarizeModel } from '../queries/models.js';
import { isoTime, poolLabel } from '../queries/pool-summary.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /healthz` and `/readyz`, and `/health` and `/live` as in Dynamo's frontend. */
export function healthRoutes({
  pools,
  summaries,
  readers,
  now,
  startedAt,
  isDraining,
}: ServiceContext): Route[] {
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
      summary:
        'Check that the service answers; the state of the fleet and of its sources is in the body only',
      answers: {
        200: json('Ready', schemas.readiness),
        503: json('The service is stopping', schemas.readiness),
      },
      answer: (_, reply) => {
        const sources = pools.sourceMonitor.snapshot()?.status ?? [];
        const ready = !isDraining();
        reply.status(ready ? 200 : 503);
        return {
          ready,
          why: ready ? [] : ['the service is stopping'],
          state: stateOfModels(
            pools.models().map((model) => summarizeModel(model, pools, summaries).state),
            pools,
          ),
          missingSources: Math.max(pools.sourceCount - sources.length, 0),
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
