import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiRelease } from './busy-threshold/threshold-api.js';
import type { Route } from './route.js';

/** Answers a request that matches no route. */
export function answerUnmatched(
  routes: readonly Route[],
  release: ApiRelease,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (request, reply) => {
    const path = pathOf(request);
    const methods = routes.filter((route) => matches(route.path, path)).map(({ method }) => method);
    if (methods.length > 0) return answerWrongMethod(path, methods, request, reply);
    // Clients probe the paths of Dynamo's API, so unknown paths there are answered as in Dynamo.
    if (path.startsWith('/v1/')) return reply.status(404).send();
    if (path.startsWith('/busy_threshold')) {
      if (release === '1.0') return reply.status(404).send();
      const body = { message: `Route not found: ${request.method} ${path}`, type: 'Not Found', code: 404 };
      return reply
        .status(404)
        .header('content-type', 'application/json')
        .send(Buffer.from(JSON.stringify(body)));
    }
    const message = `${path.slice(0, 200)} does not exist; GET / lists the routes.`;
    return reply.status(404).send({ code: 'not-found', message });
  };
}

/** The path of a request, not decoded. */
export function pathOf({ raw: { url = '' } }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

function answerWrongMethod(
  path: string,
  methods: readonly Route['method'][],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  // In the order of Dynamo's framework.
  const allowed = [...new Set([...methods].sort().reverse())].join(',');
  const head = methods.includes('GET') && path !== '/events' ? `${allowed},HEAD` : allowed;
  reply.status(405).header('allow', head);
  if (path === '/busy_threshold') return reply.send();
  return reply.send({
    code: 'method-not-allowed',
    message: `${path} supports ${head}, not ${request.method}.`,
  });
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part === given[index] || (part.startsWith(':') && given[index] !== ''))
  );
}
