import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Pool, Pools } from '../pools/pools.js';
import { poolLabel } from '../queries/pool-summary.js';
import { ServiceError } from '../service-error.js';
import type { RouteParameter } from './route.js';

/** The parameters that choose pools. */
export const poolParameters: readonly RouteParameter[] = [
  { name: 'model', in: 'query', text: 'only pools of this model', schema: { type: 'string' } },
  {
    name: 'endpoint',
    in: 'query',
    text: 'only the pool at this endpoint, as namespace.component.endpoint',
    schema: { type: 'string' },
  },
];

/** One parameter of the query; the first, when it stands there several times. */
export function queryText(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, string | string[] | undefined>>)[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The pools that a query asks for. */
export function queriedPools(request: FastifyRequest, pools: Pools): readonly Pool[] {
  const [model, endpoint] = [queryText(request, 'model'), queryText(request, 'endpoint')];
  return pools.list().filter((pool) => {
    const label = poolLabel(pool);
    return (
      (model === undefined || label.model === model) &&
      (endpoint === undefined || label.endpoint === endpoint)
    );
  });
}

/** A whole number of a query. @throws ServiceError */
export function queryNumber(
  request: FastifyRequest,
  name: string,
  min: number,
  max: number,
  defaultValue: number,
): number {
  const text = queryText(request, name);
  if (text === undefined) return defaultValue;
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new ServiceError(
    400,
    'query',
    `${name} must be a whole number from ${min} to ${max}, not ${text.slice(0, 100)}.`,
  );
}

/** A yes or no of a query; `undefined` when it is not asked. @throws ServiceError */
export function queryFlag(request: FastifyRequest, name: string): boolean | undefined {
  const text = queryText(request, name);
  if (text === undefined || text === 'true' || text === 'false')
    return text === undefined ? text : text === 'true';
  throw new ServiceError(400, 'query', `${name} must be true or false, not ${text.slice(0, 100)}.`);
}

/**
 * The body of a request, or `null` when it is larger than the limit. What is too much is not kept, and read on all the
 * same, so that a sender that hears only when it has sent everything hears the answer.
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
