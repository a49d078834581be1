import { type Observable, distinctUntilChanged, map, skip, startWith, tap } from 'rxjs';
import { wallTime } from '../../adapters/clock/wall-time.js';
import type { Count } from '../../core/count.js';
import { TidemarkError } from '../../core/errors.js';
import { type LoadThresholds, thresholdNames } from '../../core/policy/load-thresholds.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import type { Pools } from '../../fleet/pools/pools.js';
import type { ThresholdOrigin } from '../../fleet/thresholds/threshold-entry.js';
import type { ServerSentEvent } from '../stream/server-sent-events.js';
import type { FrontendReport, FrontendThresholds } from './frontend-thresholds.js';

/** A threshold of a model that differs between frontends. */
export interface FrontendDrift {
  readonly model: string;
  readonly threshold: keyof LoadThresholds;
  /** The value at each live frontend that lists the model. */
  readonly values: readonly { readonly url: string; readonly value: Count | null }[];
}

/** The models that frontends list, sorted. */
export function listedModels(reports: readonly FrontendReport[]): string[] {
  return [...new Set(reports.flatMap(({ thresholds }) => [...thresholds.keys()]))].sort();
}

/**
 * The thresholds that differ between the live frontends that list a model. With drift, the judgement of a request depends
 * on the frontend that serves it. A frontend that does not list a model says nothing about it.
 */
export function frontendDrift(reports: readonly FrontendReport[]): FrontendDrift[] {
  const live = reports.filter(({ state }) => state === 'live');
  return listedModels(live).flatMap((model) =>
    thresholdNames.flatMap((threshold) => {
      const values = live.flatMap(({ url, thresholds }) => {
        const found = thresholds.get(model);
        return found === undefined ? [] : [{ url, value: found[threshold] }];
      });
      return new Set(values.map(({ value }) => value)).size > 1 ? [{ model, threshold, values }] : [];
    }),
  );
}

/** The thresholds in force for a model: those of the first live frontend, in the given order, that lists it. */
function inForceFor(model: string, reports: readonly FrontendReport[]): FrontendReport | undefined {
  const listing = reports.filter(({ thresholds }) => thresholds.has(model));
  // The latest answer of a frontend that is down counts until another one lists the model.
  return listing.find(({ state }) => state === 'live') ?? listing[0];
}

/**
 * Sets the thresholds of the frontends, each for its model. A model that no frontend lists any more keeps its thresholds.
 * Emits a server-sent event when the drift changes.
 */
export function followFrontends(frontends: FrontendThresholds, pools: Pools): Observable<ServerSentEvent> {
  return frontends.reports$.pipe(
    tap((reports) => {
      for (const model of listedModels(reports)) {
        const frontend = inForceFor(model, reports);
        const thresholds = frontend?.thresholds.get(model);
        if (frontend === undefined || thresholds === undefined) continue;
        const route = `frontend ${frontend.url.replace(/\/\/[^/@]*@/, '//')}`;
        const at = wallTime(frontends, frontends.now()).toISOString();
        setIfAccepted(pools, model, thresholds, { at, address: null, token: null, route });
      }
    }),
    map((reports) => stringifyJson(frontendDrift(reports))),
    startWith('[]'),
    distinctUntilChanged(),
    skip(1),
    map((drift): ServerSentEvent => ({ type: 'drift', data: { drift: JSON.parse(drift) as unknown } })),
  );
}

function setIfAccepted(
  pools: Pools,
  model: string,
  thresholds: LoadThresholds,
  origin: ThresholdOrigin,
): void {
  try {
    pools.book.replace({ model }, thresholds, origin);
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    const text = `The thresholds of ${model.slice(0, 256)} at ${origin.route} are not used: ${error.message}`;
    pools.report?.({ code: 'threshold-out-of-range', source: 'thresholds', text, count: 1 });
  }
}
