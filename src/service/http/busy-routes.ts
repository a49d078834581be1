import { type FleetCounts, fleetStateOf } from '../../core/judgement/fleet-state.js';
import { poolParameters, queriedPools } from './read-request.js';
import type { Route, ServiceContext } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /busy`. */
export function busyRoutes({ pools, summaries }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/busy',
      summary: 'Who is busy, how each pool stands, and when it is worth to ask again',
      parameters: poolParameters,
      answers: { 200: json('All pools that were asked for, and all of them together', schemas.busy) },
      answer: (request) => {
        const wholes = queriedPools(request, pools).map((pool) => summaries.describe(pool));
        const workers = sumCounts(wholes.map((whole) => whole.workers));
        const state = fleetStateOf(workers);
        const waits = wholes.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
        const waiting = state !== 'free' && state !== 'partial';
        return {
          state,
          retryAfterSeconds: waiting
            ? Math.min(...(waits.length > 0 ? waits : [NO_WORKERS_RETRY_SECONDS]))
            : null,
          workers,
          pools: wholes,
        };
      },
    },
  ];
}

const NO_WORKERS_RETRY_SECONDS = 5;

function sumCounts(counts: readonly FleetCounts[]): FleetCounts {
  const sum = (name: keyof FleetCounts): number => counts.reduce((total, one) => total + one[name], 0);
  return {
    known: sum('known'),
    held: sum('held'),
    busy: sum('busy'),
    overloadMarked: sum('overloadMarked'),
    instances: sum('instances'),
    down: sum('down'),
  };
}
