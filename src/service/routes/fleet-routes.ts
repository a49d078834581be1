import type { FleetCounts } from '../../core/fleet-counts.js';
import { fleetStateOf } from '../../core/fleet-state.js';
import type { ServiceContext } from '../service-context.js';
import { poolParameters, queriedPools } from './query.js';
import type { Route } from './route.js';
import { json, schemas } from './schemas.js';

/** `GET /busy`. */
export function fleetRoutes({ pools, views }: ServiceContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/busy',
      summary: 'Who is busy, how each pool stands, and when it is worth to ask again',
      parameters: poolParameters,
      answers: { 200: json('All pools that were asked for, and all of them together', schemas.busy) },
      answer: (request) => {
        const wholes = queriedPools(request, pools).map((pool) => views.wholeOf(pool));
        const workers = sumOf(wholes.map((whole) => whole.workers));
        const state = fleetStateOf(workers);
        const waits = wholes.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
        const waiting = state !== 'free' && state !== 'partial';
        return {
          state,
          retryAfterSeconds: waiting
            ? Math.min(...(waits.length > 0 ? waits : [NOBODY_THERE_SECONDS]))
            : null,
          workers,
          pools: wholes,
        };
      },
    },
  ];
}

const NOBODY_THERE_SECONDS = 5;

function sumOf(counts: readonly FleetCounts[]): FleetCounts {
  const sum = (name: keyof FleetCounts): number => counts.reduce((total, one) => total + one[name], 0);
  return {
    known: sum('known'),
    held: sum('held'),
    busy: sum('busy'),
    marked: sum('marked'),
    instances: sum('instances'),
    down: sum('down'),
  };
}
