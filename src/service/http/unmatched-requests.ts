import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiRelease } from './busy-threshold/threshold-api.js';
import type { Route } from './route.js';

/** What answers a call that no route takes. */
export function answerUnmatched(
  routes: readonly Route[],
  release: ApiRelease,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (request, reply) => {
    const path = pathOf(request);
    const methods = routes.filter((route) => matches(route.path, path)).map(({ method }) => method);
    if (methods.length > 0) return answerWrongMethod(path, methods, request, reply);
    // Where Dynamo's own API would be, an unknown path is answered as Dynamo does: clients look at it.
    if (path.startsWith('/v1/')) return reply.status(404).send();
    if (path.startsWith('/busy_threshold')) {
      if (release === '1.0') return reply.status(404).send();
      const body = { message: `Route not found: ${request.method} ${path}`, type: 'Not Found', code: 404 };
      return reply
        .status(404)
        .header('content-type', 'application/json')
        .send(Buffer.from(JSON.stringify(body)));
    }
    const message = `There is no ${path.slice(0, 200)} here; GET / lists what there is.`;
    return reply.status(404).send({ code: 'not-found', message });
  };
}

/** The path of a request as it was sent. */
export function pathOf({ raw: { url = '' } }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

function answerWrongMethod(
  path: string,
  methods: readonly Route['method'][],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  // The order in which Dynamo's framework names them.
  const allowed = [...new Set([...methods].sort().reverse())].join(',');
  const head = methods.includes('GET') && path !== '/events' ? `${allowed},HEAD` : allowed;
  reply.status(405).header('allow', head);
  if (path === '/busy_threshold') return reply.send();
  return reply.send({ code: 'method-not-allowed', message: `${path} takes ${head}, not ${request.method}.` });
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => part === given[at] || (part.startsWith(':') && given[at] !== ''))
  );
}
