import type { FastifyReply } from 'fastify';
import {
  answerThresholdRequest,
  listThresholds,
  TEXT_TYPE,
  type ThresholdReply,
} from './busy-threshold/threshold-api.js';
import { isJsonContentType } from './busy-threshold/threshold-request.js';
import { readBody } from './read-request.js';
import { changeOrigin, changeRefusal } from './threshold-book-routes.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

const textAnswer = (text: string): Route['answers'][number] => ({
  text,
  content: { 'text/plain': schemas.text },
});

/** `GET` and `POST /busy_threshold`, with the same statuses, fields and values as in Dynamo's frontend. */
export function thresholdRoutes(context: ServiceContext): Route[] {
  const { pools, release, maxBodyBytes } = context;
  return [
    {
      method: 'GET',
      path: '/busy_threshold',
      summary: 'List the thresholds in force for every model',
      answers: { 200: json('One entry for each model', schemas.thresholds) },
      answer: (_, reply) => send(reply, listThresholds(pools)),
    },
    {
      method: 'POST',
      path: '/busy_threshold',
      summary: 'Get the thresholds of a model, after setting the given ones',
      requestBody: schemas.thresholdRequest,
      changesState: true,
      answers: {
        200: json('The thresholds in force; all null for an unknown model', schemas.threshold),
        400: {
          text: 'The body is not valid JSON (plain text), or a fraction is outside its range',
          content: { 'application/json': schemas.thresholdError, 'text/plain': schemas.text },
        },
        401: json('Setting thresholds needs the admin token', schemas.thresholdError),
        403: json(
          'The service can be reached from other machines and has no admin token',
          schemas.thresholdError,
        ),
        404: json('Unknown model', schemas.thresholdError),
        409: json('The thresholds are those of Dynamo’s frontends', schemas.thresholdError),
        413: textAnswer('The body is too large'),
        415: textAnswer('The content type is not JSON'),
        422: json('The JSON does not match the schema', schemas.thresholdError),
      },
      answer: async (request, reply) => {
        const { headers } = request;
        if (!isJsonContentType(headers['content-type']))
          return send(reply, text(415, 'Expected request with `Content-Type: application/json`'));
        const body = await readBody(request.raw, maxBodyBytes);
        if (body === null)
          return send(reply, text(413, `The request body is larger than ${maxBodyBytes} bytes.`));
        const answer = answerThresholdRequest(body, pools, release, {
          refusal: () => changeRefusal(context, request),
          origin: () => changeOrigin(context, request),
        });
        await context.saved();
        if (answer.status === 200) request.log.debug({ thresholds: answer.body }, 'thresholds read or set');
        return send(reply, answer);
      },
    },
  ];
}

function text(status: number, body: string): ThresholdReply {
  return { status, contentType: TEXT_TYPE, body };
}

function send(
  reply: FastifyReply,
  { status, contentType, body, headers = {} }: ThresholdReply,
): FastifyReply {
  // As bytes, so that Fastify does not change the content type.
  return reply
    .status(status)
    .headers({ ...headers, 'content-type': contentType })
    .send(Buffer.from(body));
}
