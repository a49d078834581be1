import { workerId, WorkerIdError, type WorkerId } from '../../core/worker-id.js';
import { isoTimeOrNull, describeWorker } from '../queries/explain-worker.js';
import { listWorkers } from '../queries/list-workers.js';
import { poolLabel } from '../queries/pool-summary.js';
import { ServiceError } from '../service-error.js';
import { poolParameters, queriedPools, queryFlag, queryNumber, queryText } from './read-request.js';
import type { Route, ServiceContext } from './route.js';
import { json, problem, schemas } from './schemas.js';

const PAGE = 1000;

/** `GET /workers` and `GET /workers/:id`. */
export function workerRoutes({ pools }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/workers',
      summary: 'The workers in ascending order of their ids, and which are busy',
      parameters: [
        ...poolParameters,
        { name: 'busy', in: 'query', text: 'only those that are, or are not', schema: { type: 'boolean' } },
        {
          name: 'limit',
          in: 'query',
          text: `how many at most, and when absent ${PAGE}`,
          schema: { type: 'integer', minimum: 1, maximum: PAGE },
        },
        {
          name: 'after',
          in: 'query',
          text: 'only ids above this one: `next` of the page before',
          schema: { type: 'string' },
        },
      ],
      answers: { 200: json('A page of workers', schemas.workers), 400: problem('A parameter is wrong') },
      answer: async (request) => {
        const limit = queryNumber(request, 'limit', 1, PAGE, PAGE);
        const busy = queryFlag(request, 'busy');
        const afterText = queryText(request, 'after');
        const after = afterText === undefined ? null : idOf(afterText);
        const { workers, hasMore } = await listWorkers(queriedPools(request, pools), { limit, busy, after });
        return {
          // Field by field: to spread the objects of a thousand workers takes longer than everything else.
          workers: workers.map(({ pool, one }) => {
            const { model, endpoint } = poolLabel(pool);
            return {
              model,
              endpoint,
              workerId: one.workerId,
              busy: one.busy,
              marked: one.marked,
              since: isoTimeOrNull(one.since),
              reportedRanks: one.reportedRanks,
            };
          }),
          next: hasMore ? (workers.at(-1)?.one.workerId ?? null) : null,
        };
      },
    },
    {
      method: 'GET',
      path: '/workers/:id',
      summary: 'Why a worker is busy or free: every rank and check, since when, and what would clear it',
      parameters: [{ name: 'id', in: 'path', text: 'its id, decimal', schema: { type: 'string' } }],
      answers: {
        200: json('How it stands in each of its pools', schemas.worker),
        400: problem('This is no id'),
        404: problem('Nobody knows this worker'),
      },
      answer: (request) => {
        const id = idOf((request.params as { readonly id: string }).id);
        const own = pools.list().flatMap((pool) => {
          const explained = pool.monitor.explain(id);
          return explained === undefined ? [] : [describeWorker(pool, explained)];
        });
        if (own.length === 0)
          throw new ServiceError(
            404,
            'unknown-worker',
            `No worker ${id} is known; GET /workers lists those that are.`,
          );
        return { workerId: id, pools: own };
      },
    },
  ];
}

function idOf(text: string): WorkerId {
  try {
    return workerId(text);
  } catch (error) {
    if (error instanceof WorkerIdError)
      throw new ServiceError(400, error.code, error.message, { cause: error });
    throw error;
  }
}
