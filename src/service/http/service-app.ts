import type * as fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyServerOptions } from 'fastify';
import { type LoadedPackage, compareVersions, loadPackage } from '../../adapters/packages/load-package.js';
import { TidemarkError } from '../../core/errors.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import { ServiceError } from '../service-error.js';
import type { ServiceOptions } from '../service-options.js';
import { allRoutes } from './all-routes.js';
import type { ServiceContext } from './route.js';
import { answerUnmatched, pathOf } from './unmatched-requests.js';

type ReleaseOptions = Pick<
  fastify.FastifyServerOptions,
  'disableRequestLogging' | 'logController' | 'maxParamLength' | 'routerOptions'
>;

/**
 * The options whose names differ between the releases of Fastify 5: none of them prints a deprecation.
 *
 * 1. Requests are not logged: a service that is scraped and polled would log little else.
 * 2. A parameter of a path may be as long as the headers.
 */
function releaseOptions(
  { module, version }: LoadedPackage<Partial<typeof fastify>>,
  { maxParamLength }: { readonly maxParamLength: number },
): ReleaseOptions {
  const { LogController } = module;
  return {
    ...(LogController === undefined
      ? { disableRequestLogging: true }
      : { logController: new LogController({ disableRequestLogging: true }) }),
    ...(version !== undefined && compareVersions(version, '5.5.0') < 0
      ? { maxParamLength }
      : { routerOptions: { maxParamLength } }),
  };
}

/**
 * Loads the package `fastify` when a service is started, not before: it is an optional peer.
 *
 * @throws PackageError
 */
export function loadFastifyPackage(): Promise<LoadedPackage<typeof fastify>> {
  return loadPackage('fastify', () => import('fastify'));
}

const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Creates a Fastify instance with the routes of a service. It does not listen yet. @throws PackageError */
export async function createServiceApp(
  context: ServiceContext,
  logger: ServiceOptions['logger'] = false,
): Promise<FastifyInstance> {
  const fastify = await loadFastifyPackage();
  const app = fastify.module.fastify({
    ...releaseOptions(fastify, { maxParamLength: MAX_HEADER_BYTES }),
    logger: logger as NonNullable<FastifyServerOptions['logger']>,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    // A URL that cannot be decoded is answered like any other error.
    frameworkErrors: (error, _, reply: FastifyReply) =>
      void reply
        .status(statusOf(error))
        .header('content-type', 'application/json')
        .send(Buffer.from(stringifyJson(errorBody(error)))),
    clientErrorHandler(error, socket) {
      if (!socket.writable) {
        socket.destroy();
        return;
      }
      const [status, text] = clientErrors[error.code] ?? ['400 Bad Request', 'This is not an HTTP request.'];
      const body = JSON.stringify({ code: 'bad-request', message: text });
      socket.end(
        `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n` +
          `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    },
  });
  // The only route with a body reads it itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, __, done) => done(null));
  // Counts may be bigints, which JSON.stringify does not accept.
  app.setReplySerializer(stringifyJson);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = statusOf(error);
    // A client that disconnects while it sends its body is not an error of the service.
    if (status >= 500 && !(error instanceof ServiceError) && error.code !== 'ECONNRESET')
      request.log.error(error);
    return reply.status(status).send(errorBody(error));
  });
  // The content type of JSON has no charset, as in Dynamo.
  app.addHook('onSend', (_, reply, payload, done) => {
    const type = reply.getHeader('content-type');
    if (typeof type === 'string' && type.startsWith('application/json;'))
      reply.header('content-type', 'application/json');
    done(null, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug({ method: request.method, url: request.url, status: reply.statusCode }, 'answered');
    done();
  });
  const routes = allRoutes(context);
  const notFound = answerUnmatched(routes, context.release);
  // Runs before Fastify checks the content type.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) await notFound(request, reply);
  });
  for (const { method, path, answer } of routes) {
    app.route({
      method,
      url: path,
      exposeHeadRoute: path !== '/events',
      // Routes answer in this hook, before Fastify checks the content type: the threshold API has its own rules for it.
      onRequest: async (request, reply) => {
        // Fastify matches the decoded path. A path that only matches after decoding is not found.
        if (!path.includes(':') && pathOf(request) !== path) return notFound(request, reply);
        const body = await answer(request, reply);
        // Routes that return the reply itself have already sent it.

        if (!reply.sent) void reply.send(body);
        return reply;
      },
      handler: (_, reply) => reply,
    });
  }
  return app;
}

const clientErrors: Readonly<Record<string, readonly [status: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `The headers are larger than ${MAX_HEADER_BYTES} bytes.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request was not received in time.'],
};

function statusOf(error: unknown): number {
  const status =
    error instanceof ServiceError ? error.status : (error as { readonly statusCode?: number }).statusCode;
  return status !== undefined && status >= 400 ? status : 500;
}

/** The body for an error. Internal errors are only described in the log. */
function errorBody(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof TidemarkError) return { code: error.code, message: error.message };
  const { message, code } = error as Partial<FastifyError>;
  if (statusOf(error) >= 500 || message === undefined)
    return {
      code: 'internal',
      message: 'Internal error; see the log of the service for details.',
    };
  return {
    code: (code ?? 'bad-request')
      .replace(/^FST_ERR_/, '')
      .toLowerCase()
      .replaceAll('_', '-'),
    message,
  };
}
