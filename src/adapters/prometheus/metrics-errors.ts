import { TidemarkError } from '../../core/errors.js';

/** Invalid options or values. `problems` lists everything that is wrong with them. */
export class MetricsOptionsError extends TidemarkError {
  override readonly name = 'MetricsOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('metrics-options', `${problems.join('; ')}.`);
  }
}

/** A registry already contains metrics with the required names. `names` lists all of them. */
export class MetricNameTakenError extends TidemarkError {
  override readonly name = 'MetricNameTakenError';

  constructor(readonly names: readonly string[]) {
    super(
      'metric-name-taken',
      `The registry already contains ${names.join(', ')}: use another registry, or remove them first.`,
    );
  }
}

/** Series could not be removed, because the labels of a metric are not the expected ones. */
export class SeriesCleanupError extends TidemarkError {
  override readonly name = 'SeriesCleanupError';

  constructor(readonly problems: readonly string[]) {
    super('series-cleanup', `${problems.join('; ')}.`);
  }
}
