import type { SourceStatus } from '../../core/source-status.js';
import { timeText } from '../events/fleet-news.js';
import { poolLabel } from '../pools/pool-views.js';
import { idsThere } from '../pools/ids-there.js';
import type { ServiceContext } from '../service-context.js';
import type { Route } from './route.js';
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
        readersCut: readers.cut,
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
        const sources = pools.sources.snapshot()?.status ?? [];
        const why = reasons(sources, context);
        reply.status(why.length === 0 ? 200 : 503);
        return {
          ready: why.length === 0,
          why,
          sources: sources.map((status) => ({ ...status, since: timeText(status.since) })),
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
          return idsThere(monitor).map((id) => ({ ...endpoint, instance_id: id }));
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

function reasons(sources: readonly SourceStatus[], { pools, isDraining }: ServiceContext): string[] {
  const why = isDraining() ? ['the service is ending'] : [];
  if (sources.length < pools.sourceCount) {
    why.push(`${pools.sourceCount - sources.length} of ${pools.sourceCount} sources have not spoken`);
  }
  for (const { source, state, why: reason } of sources) {
    if (state !== 'live') why.push(`${source} is ${state}${reason === undefined ? '' : `: ${reason}`}`);
  }
  return why;
}
