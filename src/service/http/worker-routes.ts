import { workerId, WorkerIdError, type WorkerId } from '../../core/worker-id.js';
import { isoTimeOrNull, describeWorker } from '../queries/explain-worker.js';
import { selectedParts } from '../queries/busy.js';
import { listWorkers } from '../queries/list-workers.js';
import { poolLabel } from '../queries/pool-summary.js';
import { ServiceError } from '../service-error.js';
import { poolParameters, poolQuery, queryFlag, queryNumber, queryText } from './read-request.js';
import type { Route, ServiceContext } from './route.js';
import { json, problem, schemas } from './schemas.js';

const PAGE_SIZE = 1000;

/** `GET /workers` and `GET /workers/:id`. */
export function workerRoutes({ pools }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/workers',
      summary: 'List the workers in ascending order of ids, and whether each is busy, free or unknown',
      parameters: [
        ...poolParameters,
        {
          name: 'busy',
          in: 'query',
          text: 'only busy workers (true) or only free ones (false)',
          schema: { type: 'boolean' },
        },
        {
          name: 'limit',
          in: 'query',
          text: `maximum number of workers; ${PAGE_SIZE} when absent`,
          schema: { type: 'integer', minimum: 1, maximum: PAGE_SIZE },
        },
        {
          name: 'after',
          in: 'query',
          text: 'only ids above this one: `next` of the previous page',
          schema: { type: 'string' },
        },
      ],
      answers: { 200: json('A page of workers', schemas.workers), 400: problem('A parameter is invalid') },
      answer: async (request) => {
        const limit = queryNumber(request, 'limit', 1, PAGE_SIZE, PAGE_SIZE);
        const busy = queryFlag(request, 'busy');
        const afterText = queryText(request, 'after');
        const after = afterText === undefined ? null : idOf(afterText);
        const { workers, hasMore } = await listWorkers(selectedParts(pools, poolQuery(request)), {
          limit,
          busy,
          after,
        });
        return {
          // Field by field, because spreading a thousand objects takes longer than the rest of the request.
          workers: workers.map(({ part: { model, pool }, worker }) => {
            const { role, endpoint } = poolLabel(pool);
            return {
              model,
              role,
              endpoint,
              workerId: worker.workerId,
              state: worker.state,
              busy: worker.busy,
              overloadMarked: worker.overloadMarked,
              since: isoTimeOrNull(pool.monitor, worker.since),
              reportedRanks: worker.reportedRanks,
            };
          }),
          next: hasMore ? (workers.at(-1)?.worker.workerId ?? null) : null,
        };
      },
    },
    {
      method: 'GET',
      path: '/workers/:id',
      summary:
        'Explain why a worker is busy, free or unknown: every rank and check, since when, and the recovery conditions',
      parameters: [{ name: 'id', in: 'path', text: 'worker id, decimal', schema: { type: 'string' } }],
      answers: {
        200: json('The explanation in each pool of the worker', schemas.worker),
        400: problem('The id is invalid'),
        404: problem('The worker is unknown'),
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
            `Worker ${id} is unknown; GET /workers lists the known workers.`,
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
