import { TidemarkError } from '../../core/tidemark-error.js';

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
