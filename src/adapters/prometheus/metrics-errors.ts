import { TidemarkError } from '../../core/errors.js';

/** Options or values that cannot be followed. `problems` lists everything that is wrong with them. */
export class MetricsOptionsError extends TidemarkError {
  override readonly name = 'MetricsOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('metrics-options', `${problems.join('; ')}.`);
  }
}

/** A registry holds metrics already under names that are wanted. `names` lists all of them. */
export class MetricNameTakenError extends TidemarkError {
  override readonly name = 'MetricNameTakenError';

  constructor(readonly names: readonly string[]) {
    super(
      'metric-name-taken',
      `The registry already holds ${names.join(', ')}: collect into a registry of its own, or remove them first.`,
    );
  }
}

/** Series of a metric cannot be named by the labels that are known, so they are still there. */
export class SeriesCleanupError extends TidemarkError {
  override readonly name = 'SeriesCleanupError';

  constructor(readonly problems: readonly string[]) {
    super('series-cleanup', `${problems.join('; ')}.`);
  }
}
