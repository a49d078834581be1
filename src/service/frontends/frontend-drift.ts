import { type Observable, combineLatest, distinctUntilChanged, map, skip, startWith, tap } from 'rxjs';
import type { Count } from '../../core/count.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import type { Pools } from '../pools/pools.js';
import type { ServerSentEvent } from '../stream/server-sent-events.js';
import type { ThresholdsByModel } from './fetch-thresholds.js';
import type { FrontendReport, FrontendThresholds } from './frontend-thresholds.js';

/** One mark of one model on which frontends do not agree. */
export interface FrontendDrift {
  readonly model: string;
  readonly threshold: keyof LoadThresholds;
  /** What each frontend that answers says; `absent`: it does not list the model. */
  readonly values: readonly { readonly url: string; readonly value: Count | null | 'absent' }[];
}

const thresholdNames = [
  'activeDecodeBlocksThreshold',
  'activePrefillTokensThreshold',
  'activePrefillTokensThresholdFrac',
] as const;

/** On which marks the frontends that answer do not agree: then a request is judged by whichever it meets. */
export function frontendDrift(reports: readonly FrontendReport[]): FrontendDrift[] {
  const live = reports.filter(({ state }) => state === 'live');
  const models = [...new Set(live.flatMap(({ thresholds }) => [...thresholds.keys()]))].sort();
  return models.flatMap((model) =>
    thresholdNames.flatMap((threshold) => {
      const values = live.map(({ url, thresholds }) => {
        const found = thresholds.get(model);
        return { url, value: found === undefined ? ('absent' as const) : found[threshold] };
      });
      return new Set(values.map(({ value }) => value)).size > 1 ? [{ model, threshold, values }] : [];
    }),
  );
}

/** The marks in force: those of the first frontend, in the order given, that answers. */
export function thresholdsInForce(reports: readonly FrontendReport[]): ThresholdsByModel {
  return reports.find(({ state }) => state === 'live')?.thresholds ?? new Map();
}

/**
 * Gives every pool the marks that the frontends have in force, also a pool that comes later, and tells as news when the
 * marks on which frontends do not agree are others than before.
 */
export function followFrontends({ reports$ }: FrontendThresholds, pools: Pools): Observable<ServerSentEvent> {
  return combineLatest([reports$, pools.changes$.pipe(startWith(null))]).pipe(
    tap(([reports]) => {
      const inForce = thresholdsInForce(reports);
      for (const pool of pools.list()) {
        const marks = inForce.get(pool.name.model);
        if (marks !== undefined) pool.setThresholds(marks);
      }
    }),
    map(([reports]) => stringifyJson(frontendDrift(reports))),
    startWith('[]'),
    distinctUntilChanged(),
    skip(1),
    map((drift): ServerSentEvent => ({ type: 'drift', data: { drift: JSON.parse(drift) as unknown } })),
  );
}
