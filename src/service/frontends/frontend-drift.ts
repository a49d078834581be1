import { type Observable, combineLatest, distinctUntilChanged, map, skip, startWith, tap } from 'rxjs';
import type { Count } from '../../core/count.js';
import { type LoadThresholds, thresholdNames } from '../../core/policy/load-thresholds.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import type { Pools } from '../../fleet/pools/pools.js';
import type { ServerSentEvent } from '../stream/server-sent-events.js';
import type { ThresholdsByModel } from './fetch-thresholds.js';
import type { FrontendReport, FrontendThresholds } from './frontend-thresholds.js';

/** A threshold of a model that differs between frontends. */
export interface FrontendDrift {
  readonly model: string;
  readonly threshold: keyof LoadThresholds;
  /** The value at each frontend that answers; `absent` if it does not list the model. */
  readonly values: readonly { readonly url: string; readonly value: Count | null | 'absent' }[];
}

/**
 * The thresholds that differ between the frontends that answer. With drift, the judgement of a request depends on the
 * frontend that serves it.
 */
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

/** The thresholds in force: those of the first frontend, in the given order, that answers. */
function thresholdsInForce(reports: readonly FrontendReport[]): ThresholdsByModel {
  return reports.find(({ state }) => state === 'live')?.thresholds ?? new Map();
}

/**
 * Sets the thresholds of the frontends on every pool, including pools that appear later. Emits a server-sent event when
 * the drift changes.
 */
export function followFrontends({ reports$ }: FrontendThresholds, pools: Pools): Observable<ServerSentEvent> {
  return combineLatest([reports$, pools.changes$.pipe(startWith(null))]).pipe(
    tap(([reports]) => {
      const inForce = thresholdsInForce(reports);
      for (const pool of pools.list()) {
        const thresholds = inForce.get(pool.name.model);
        if (thresholds !== undefined) pool.setThresholds(thresholds);
      }
    }),
    map(([reports]) => stringifyJson(frontendDrift(reports))),
    startWith('[]'),
    distinctUntilChanged(),
    skip(1),
    map((drift): ServerSentEvent => ({ type: 'drift', data: { drift: JSON.parse(drift) as unknown } })),
  );
}
