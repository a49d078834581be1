import type { SourceStatus } from '../../core/sources/source-status.js';
import { listWorkerIds } from '../queries/list-workers.js';
import { poolLabel } from '../queries/pool-summary.js';
import { isoTime } from '../stream/server-sent-events.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /healthz`, `/readyz`, and the two of Dynamo's frontend, `/health` and `/live`. */
export function healthRoutes(context: ServiceContext): Route[] {
  const { pools, readers, now, startedAt } = context;
  return [
    {
      method: 'GET',
      path: '/healthz',
      summary: 'Whether the process answers',
      answers: { 200: json('It does', schemas.health) },
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
      summary: 'Whether what it says can be relied on: every source has spoken and none is stale',
      answers: {
        200: json('Ready', schemas.readiness),
        503: json('Not ready, and why', schemas.readiness),
      },
      answer: (_, reply) => {
        const sources = pools.sourceMonitor.snapshot()?.status ?? [];
        const why = notReadyReasons(sources, context);
        reply.status(why.length === 0 ? 200 : 503);
        return {
          ready: why.length === 0,
          why,
          sources: sources.map((status) => ({ ...status, since: isoTime(status.since) })),
        };
      },
    },
    {
      method: 'GET',
      path: '/health',
      summary: 'As Dynamo’s frontend answers, without how instances are reached',
      answers: { 200: json('Healthy', schemas.anything) },
      answer: (_, reply) => {
        const list = pools.list();
        const instances = list.flatMap(({ name: { endpoint }, monitor }) => {
          return listWorkerIds(monitor).map((id) => ({ ...endpoint, instance_id: id }));
        });
        const endpoints = [...new Set(list.map((pool) => `dyn://${poolLabel(pool).endpoint}`))];
        const text = JSON.stringify({ status: 'healthy', endpoints, instances });
        reply.type('application/json');
        // Dynamo writes ids as numbers, also those above 2^53.
        return text.replace(/"instance_id":"(\d+)"/g, '"instance_id":$1');
      },
    },
    {
      method: 'GET',
      path: '/live',
      summary: 'As Dynamo’s frontend answers',
      answers: { 200: json('Live', schemas.live) },
      answer: () => ({ status: 'live', message: 'Service is live' }),
    },
  ];
}

function notReadyReasons(sources: readonly SourceStatus[], { pools, isDraining }: ServiceContext): string[] {
  const why = isDraining() ? ['the service is ending'] : [];
  if (sources.length < pools.sourceCount) {
    why.push(`${pools.sourceCount - sources.length} of ${pools.sourceCount} sources have not spoken`);
  }
  for (const { source, state, why: reason } of sources) {
    if (state !== 'live') why.push(`${source} is ${state}${reason === undefined ? '' : `: ${reason}`}`);
  }
  return why;
}
