import { combineLatest, distinctUntilChanged, map, skip, startWith, tap, type Observable } from 'rxjs';
import { jsonText } from '../../wire/json-text.js';
import type { News } from '../events/fleet-news.js';
import type { Pools } from '../pools/pools.js';
import { frontendDrift, marksInForce } from './frontend-drift.js';
import type { FrontendMarks } from './frontend-marks.js';

/**
 * Gives every pool the marks that the frontends have in force, also a pool that comes later, and tells as news when the
 * marks on which frontends do not agree are others than before.
 */
export function followFrontends({ reports$ }: FrontendMarks, pools: Pools): Observable<News> {
  return combineLatest([reports$, pools.changes$.pipe(startWith(null))]).pipe(
    tap(([reports]) => {
      const inForce = marksInForce(reports);
      for (const pool of pools.list()) {
        const marks = inForce.get(pool.name.model);
        if (marks !== undefined) pool.setMarks(marks);
      }
    }),
    map(([reports]) => jsonText(frontendDrift(reports))),
    startWith('[]'),
    distinctUntilChanged(),
    skip(1),
    map((drift): News => ({ type: 'drift', data: { drift: JSON.parse(drift) as unknown } })),
  );
}
