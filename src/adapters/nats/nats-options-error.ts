import { TidemarkError } from '../../core/tidemark-error.js';

/** Options that cannot be followed. `problems` lists everything that is wrong with them. */
export class NatsOptionsError extends TidemarkError {
  override readonly name = 'NatsOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('nats-options', `${problems.join('; ')}.`);
  }
}
