import type { MetricsFormat } from '../../adapters/prometheus/content-type-for.js';
import { PageWriter } from '../../adapters/prometheus/page-writer.js';
import { thresholdNames } from '../../core/policy/load-thresholds.js';
import { frontendDrift, listedModels } from '../frontends/frontend-drift.js';
import type { FrontendReport } from '../frontends/frontend-thresholds.js';

const MAX_LABEL_LENGTH = 256;
const MAX_MODELS = 512;

/** Its `model` is that of the frontends, so it has no labels of a pool. */
export const driftMetric = {
  name: 'tidemark_threshold_drift',
  type: 'gauge',
  help: 'Whether a threshold of a model differs between the live frontends that list the model (1) or not (0)',
  labelNames: ['model', 'threshold'],
} as const;

/** The samples of the drift of each model that live frontends list, before the rest of a page. */
export async function* withDriftMetric(
  reports: readonly FrontendReport[],
  format: MetricsFormat,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const drifting = new Set(frontendDrift(reports).map(({ model, threshold }) => `${threshold} ${model}`));
  const page = new PageWriter(format);
  page.begin(driftMetric, {});
  for (const model of listedModels(reports.filter(({ state }) => state === 'live')).slice(0, MAX_MODELS)) {
    for (const threshold of thresholdNames)
      page.sample(drifting.has(`${threshold} ${model}`) ? 1 : 0, model.slice(0, MAX_LABEL_LENGTH), threshold);
    if (page.full) yield page.take();
  }
  if (page.length > 0) yield page.take();
  yield* rest;
}
