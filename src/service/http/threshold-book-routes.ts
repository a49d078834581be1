import type { FastifyReply, FastifyRequest } from 'fastify';
import { wallTime } from '../../adapters/clock/wall-time.js';
import { TidemarkError } from '../../core/errors.js';
import { parseJsonValue } from '../../wire/json/json-value.js';
import { policies } from '../../core/policy/policies.js';
import { type LoadThresholds, thresholdNames } from '../../core/policy/load-thresholds.js';
import type { ResolvedThresholds } from '../../fleet/thresholds/threshold-book.js';
import type { EntryTarget, ThresholdOrigin } from '../../fleet/thresholds/threshold-entry.js';
import { poolLabel } from '../queries/pool-summary.js';
import { ServiceError } from '../service-error.js';
import {
  changeJson,
  entryJson,
  membersOf,
  readTarget,
  readThresholdNames,
  readThresholds,
  targetJson,
  targetJsonNames,
  thresholdJsonNames,
  thresholdsJson,
  type JsonMembers,
  underJsonNames,
} from '../thresholds/threshold-json.js';
import type { ChangeRefusal } from './busy-threshold/threshold-api.js';
import { isJsonContentType } from './busy-threshold/threshold-request.js';
import { readBody } from './read-request.js';
import type { Route, ServiceContext } from './route.js';
import { json, problem, schemas } from './schemas.js';

/** Why a request may not change thresholds; `null` if it may. */
export function changeRefusal({ guard, frontends }: ServiceContext, request: FastifyRequest): ChangeRefusal {
  return (
    guard.refusal(request.headers.authorization) ??
    (frontends === null
      ? null
      : { status: 409, message: 'The thresholds are those of Dynamo’s frontends: set them there.' })
  );
}

/** Who makes a change with this request, which is not refused. */
export function changeOrigin(
  context: ServiceContext,
  { ip, method, routeOptions }: FastifyRequest,
): ThresholdOrigin {
  return {
    at: wallTime(context, context.now()).toISOString(),
    address: ip,
    token: context.guard.tokenName,
    route: `${method} ${routeOptions.url}`,
  };
}

type Change = (target: EntryTarget, members: JsonMembers, origin: ThresholdOrigin) => void;

/** `GET`, `PUT`, `PATCH` and `DELETE /thresholds`. */
export function thresholdBookRoutes(context: ServiceContext): Route[] {
  const { book } = context.pools;
  const change = (
    method: 'PUT' | 'PATCH' | 'DELETE',
    summary: string,
    known: readonly string[],
    requestBody: Route['requestBody'] & object,
    apply: Change,
  ): Route => ({
    method,
    path: '/thresholds',
    summary,
    requestBody,
    changesState: true,
    answers: {
      200: json('The thresholds of the target before and after', schemas.thresholdChanged),
      400: problem('The body is not valid'),
      401: problem('Changing thresholds needs the admin token'),
      403: problem('The service can be reached from other machines and has no admin token'),
      ...(method === 'DELETE' && { 404: problem('No such threshold is set for the target') }),
      409: problem('The thresholds are those of Dynamo’s frontends, or too many targets have thresholds'),
      413: problem('The body is too large'),
      415: problem('The content type is not JSON'),
    },
    answer: async (request, reply) => {
      const refused = changeRefusal(context, request);
      if (refused !== null) return sendRefusal(reply, refused);
      const members = await readJsonBody(context, request, known);
      const answer = asBadRequest(() => {
        const target = readTarget(members);
        const old = book.thresholdsOf(target);
        apply(target, members, changeOrigin(context, request));
        const now = book.thresholdsOf(target);
        return { target: targetJson(target), old: thresholdsJson(old), new: thresholdsJson(now) };
      });
      await context.saved();
      return answer;
    },
  });
  const settingNames = [...targetJsonNames, ...thresholdJsonNames];
  return [
    {
      method: 'GET',
      path: '/thresholds',
      summary: 'List the thresholds that were set, those in force for every pool, and the latest changes',
      answers: { 200: json('The thresholds', schemas.thresholdBook) },
      answer: () => listThresholdBook(context),
    },
    change(
      'PUT',
      'Replace the thresholds of a target; null turns a check off',
      settingNames,
      schemas.thresholdsOfTarget,
      (target, members, origin) => book.replace(target, readThresholds(members, policies.default), origin),
    ),
    change(
      'PATCH',
      'Change the given thresholds of a target; null turns a check off',
      settingNames,
      schemas.thresholdsOfTarget,
      (target, members, origin) => book.set(target, readThresholds(members, policies.default), origin),
    ),
    change(
      'DELETE',
      'Remove the thresholds of a target, or only the given ones, so that those of a less specific target apply',
      [...targetJsonNames, 'thresholds'],
      schemas.thresholdsToRemove,
      (target, { thresholds }, origin) => {
        const names = thresholds === undefined ? undefined : readThresholdNames(thresholds);
        if (book.unset(target, origin, names) !== null) return;
        const text = 'No such threshold is set for this target; GET /thresholds lists those that are.';
        throw new ServiceError(404, 'no-thresholds', text);
      },
    ),
  ];
}

function listThresholdBook({ pools }: ServiceContext): object {
  const { book } = pools;
  return {
    entries: book.entries().map(entryJson),
    pools: pools.list().map((pool) => {
      const { name, monitor } = pool;
      const present = book.workersIn(name).filter((id) => monitor.stateOf(id) !== undefined);
      return {
        ...poolLabel(pool),
        thresholds: resolvedJson(book.resolve(name), monitor.snapshot()?.thresholds),
        workers: present.map((id) => ({
          worker_id: id,
          thresholds: resolvedJson(book.resolve(name, id), book.inForceFor(name, id)),
        })),
      };
    }),
    changes: book.changes().map(changeJson),
  };
}

/** Thresholds in force, each with where it comes from. The values are those of the monitor: a policy may truncate a fraction. */
function resolvedJson(resolved: ResolvedThresholds, inForce: LoadThresholds | undefined): object {
  return underJsonNames(
    Object.fromEntries(
      thresholdNames.map((threshold) => {
        const { value, source, target } = resolved[threshold];
        const shown = inForce === undefined ? value : inForce[threshold];
        return [threshold, { value: shown, source, ...(target && { target: targetJson(target) }) }];
      }),
    ),
  );
}

async function readJsonBody(
  { maxBodyBytes }: ServiceContext,
  request: FastifyRequest,
  known: readonly string[],
): Promise<JsonMembers> {
  if (!isJsonContentType(request.headers['content-type']))
    throw new ServiceError(415, 'content-type', 'Send the body with Content-Type: application/json.');
  const body = await readBody(request.raw, maxBodyBytes);
  if (body === null)
    throw new ServiceError(413, 'body-too-large', `The request body is larger than ${maxBodyBytes} bytes.`);
  const parsed = parseJsonValue(body.toString('utf8'));
  if ('error' in parsed)
    throw new ServiceError(400, 'body', `The request body is not valid JSON: ${parsed.error.message}.`);
  return asBadRequest(() => membersOf(parsed.value, 'the body', known));
}

/** Answers an error of tidemark with status 400, or 409 if there are too many targets. */
function asBadRequest<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof TidemarkError) || error instanceof ServiceError) throw error;
    const status = error.code === 'too-many-thresholds' ? 409 : 400;
    throw new ServiceError(status, error.code, error.message, { cause: error });
  }
}

function sendRefusal(
  reply: FastifyReply,
  { status, message, headers = {} }: NonNullable<ChangeRefusal>,
): FastifyReply {
  const code = status === 409 ? 'follows-frontends' : 'admin-token';
  return reply.status(status).headers(headers).send({ code, message });
}
