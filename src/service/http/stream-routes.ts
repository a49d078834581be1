import { Readable } from 'node:stream';
import { contentTypeFor } from '../../adapters/prometheus/content-type-for.js';
import { renderMetrics } from '../../adapters/prometheus/render-metrics.js';
import { withDriftMetric } from './drift-metric.js';
import type { Route, ServiceContext } from './route.js';
import { problem, schemas } from './schemas.js';

const RETRY_SECONDS = '5';

/** `GET /metrics` and `GET /events`. */
export function streamRoutes({ page, readers, frontends }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      summary:
        'Get the metrics of all pools for Prometheus, in its text format or as OpenMetrics, depending on Accept',
      answers: {
        200: {
          text: 'The metrics at the time of the request',
          content: { 'text/plain': schemas.text, 'application/openmetrics-text': schemas.text },
        },
      },
      answer: (request, reply) => {
        const { format, contentType } = contentTypeFor(request.headers.accept);
        reply.type(contentType);
        const metrics = renderMetrics(page.metrics(), { format });
        const drift = withDriftMetric(frontends?.reports() ?? [], format, metrics);
        return Readable.from(drift, { objectMode: false });
      },
    },
    {
      method: 'GET',
      path: '/events',
      summary: 'Stream changes as server-sent events: first a snapshot, then each change',
      parameters: [
        {
          name: 'last-event-id',
          in: 'header',
          text: 'resume after this event if it is still kept; otherwise start with a snapshot',
          schema: { type: 'string' },
        },
      ],
      answers: {
        200: {
          text: 'Server-sent events snapshot, pool, pool-gone, transition, fleet, thresholds, source and drift, until either side closes the stream',
          content: { 'text/event-stream': schemas.text },
        },
        503: problem('The maximum number of event streams is reached, or the service is stopping'),
      },
      answer: (request, reply) => {
        const lastEventId = request.headers['last-event-id'];
        reply.header('retry-after', RETRY_SECONDS).header('connection', 'close');
        readers.admit();
        reply.hijack();
        reply.raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          // Without this header, buffering proxies delay events.
          'x-accel-buffering': 'no',
        });
        readers.open(reply.raw, Array.isArray(lastEventId) ? lastEventId[0] : lastEventId);
        return reply;
      },
    },
  ];
}
