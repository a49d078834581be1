import { TidemarkError } from '../../core/tidemark-error.js';

/** Options or values that cannot be followed. `problems` lists everything that is wrong with them. */
export class MetricsOptionsError extends TidemarkError {
  override readonly name = 'MetricsOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('metrics-options', `${problems.join('; ')}.`);
  }
}
