import { Readable } from 'node:stream';
import { contentTypeFor } from '../../adapters/prometheus/content-type-for.js';
import { renderMetrics } from '../../adapters/prometheus/render-metrics.js';
import type { Route, ServiceContext } from './route.js';
import { problem, schemas } from './schemas.js';

const RETRY_SECONDS = '5';

/** `GET /metrics` and `GET /events`. */
export function streamRoutes({ page, readers }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      summary: 'The metrics of all pools, for Prometheus: its text format or OpenMetrics, by Accept',
      answers: {
        200: {
          text: 'A page, of the state when it was asked for',
          content: { 'text/plain': schemas.text, 'application/openmetrics-text': schemas.text },
        },
      },
      answer: (request, reply) => {
        const { format, contentType } = contentTypeFor(request.headers.accept);
        reply.type(contentType);
        return Readable.from(renderMetrics(page.metrics(), { format }), { objectMode: false });
      },
    },
    {
      method: 'GET',
      path: '/events',
      summary: 'What changes, as server-sent events: a snapshot first, then differences',
      parameters: [
        {
          name: 'last-event-id',
          in: 'header',
          text: 'goes on behind this event, if it is still kept; otherwise with a snapshot',
          schema: { type: 'string' },
        },
      ],
      answers: {
        200: {
          text: 'Events snapshot, pool, pool-gone, transition, fleet, marks, source and drift, until one side ends it',
          content: { 'text/event-stream': schemas.text },
        },
        503: problem('There are as many readers as there may be, or the service is ending'),
      },
      answer: (request, reply) => {
        const lastEventId = request.headers['last-event-id'];
        reply.header('retry-after', RETRY_SECONDS).header('connection', 'close');
        readers.admit();
        reply.hijack();
        reply.raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          // A proxy that buffers would hold events back.
          'x-accel-buffering': 'no',
        });
        readers.open(reply.raw, Array.isArray(lastEventId) ? lastEventId[0] : lastEventId);
        return reply;
      },
    },
  ];
}
