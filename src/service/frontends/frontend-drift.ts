import type { Count } from '../../core/count.js';
import type { LoadThresholds } from '../../core/load-thresholds.js';
import type { FrontendReport } from './frontend-marks.js';
import type { MarksByModel } from './fetch-marks.js';

/** One mark of one model on which frontends do not agree. */
export interface FrontendDrift {
  readonly model: string;
  readonly mark: keyof LoadThresholds;
  /** What each frontend that answers says; `absent`: it does not list the model. */
  readonly values: readonly { readonly url: string; readonly value: Count | null | 'absent' }[];
}

const marks = [
  'activeDecodeBlocksThreshold',
  'activePrefillTokensThreshold',
  'activePrefillTokensThresholdFrac',
] as const;

/** On which marks the frontends that answer do not agree: then a request is judged by whichever it meets. */
export function frontendDrift(reports: readonly FrontendReport[]): FrontendDrift[] {
  const live = reports.filter(({ state }) => state === 'live');
  const models = [...new Set(live.flatMap(({ marks: own }) => [...own.keys()]))].sort();
  return models.flatMap((model) =>
    marks.flatMap((mark) => {
      const values = live.map(({ url, marks: own }) => {
        const found = own.get(model);
        return { url, value: found === undefined ? ('absent' as const) : found[mark] };
      });
      return new Set(values.map(({ value }) => value)).size > 1 ? [{ model, mark, values }] : [];
    }),
  );
}

/** The marks in force: those of the first frontend, in the order given, that answers. */
export function marksInForce(reports: readonly FrontendReport[]): MarksByModel {
  return reports.find(({ state }) => state === 'live')?.marks ?? new Map();
}
