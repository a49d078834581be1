import { TidemarkError } from '../../core/tidemark-error.js';

/** Series of a metric cannot be named by the labels that are known, so they are still there. */
export class SeriesCleanupError extends TidemarkError {
  override readonly name = 'SeriesCleanupError';

  constructor(readonly problems: readonly string[]) {
    super('series-cleanup', `${problems.join('; ')}.`);
  }
}
