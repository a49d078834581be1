import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { numberRangeText, parseNumber } from '../../core/number-text.js';
import type { PoolQuery } from '../queries/busy.js';
import { ServiceError } from '../service-error.js';
import type { RouteParameter } from './route.js';

/** The query parameters that select pools. */
export const poolParameters: readonly RouteParameter[] = [
  {
    name: 'model',
    in: 'query',
    text: 'only workers of this model or LoRA adapter',
    schema: { type: 'string' },
  },
  {
    name: 'role',
    in: 'query',
    text: 'only workers of this role; decode includes aggregated workers',
    schema: { enum: ['decode', 'prefill'] },
  },
  {
    name: 'endpoint',
    in: 'query',
    text: 'only workers at this endpoint, as namespace.component.endpoint',
    schema: { type: 'string' },
  },
];

/** A query parameter; the first value if it is given several times. */
export function queryText(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, string | string[] | undefined>>)[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Which workers a request is about. @throws ServiceError */
export function poolQuery(request: FastifyRequest): PoolQuery {
  const role = queryText(request, 'role');
  if (role !== undefined && role !== 'decode' && role !== 'prefill')
    throw new ServiceError(400, 'query', `role must be decode or prefill, not ${role.slice(0, 100)}.`);
  return { model: queryText(request, 'model'), role, endpoint: queryText(request, 'endpoint') };
}

/** A query parameter that is a whole number. @throws ServiceError */
export function queryNumber(
  request: FastifyRequest,
  name: string,
  min: number,
  max: number,
  defaultValue: number,
): number {
  const text = queryText(request, name);
  if (text === undefined) return defaultValue;
  const value = /^[0-9]{1,15}$/.test(text) ? parseNumber(text, { min, max }) : null;
  if (value !== null) return value;
  const wanted = numberRangeText({ min, max });
  throw new ServiceError(400, 'query', `${name} must be ${wanted}, not ${text.slice(0, 100)}.`);
}

/** A query parameter that is `true` or `false`; `undefined` if it is absent. @throws ServiceError */
export function queryFlag(request: FastifyRequest, name: string): boolean | undefined {
  const text = queryText(request, name);
  if (text === undefined || text === 'true' || text === 'false')
    return text === undefined ? text : text === 'true';
  throw new ServiceError(400, 'query', `${name} must be true or false, not ${text.slice(0, 100)}.`);
}

/**
 * Reads the body of a request; `null` if it is larger than the limit. A body that is too large is read to its end but not
 * kept, because some clients only read the response after they have sent everything.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const exceedLimit = (): void => {
      chunks.length = 0;
      request.off('data', take);
      request.resume();
      resolve(null);
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) exceedLimit();
      else chunks.push(chunk);
    };
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    if (Number(request.headers['content-length'] ?? 0) > limit) exceedLimit();
    else request.on('data', take);
  });
}
