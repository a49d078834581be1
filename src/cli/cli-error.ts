import { TidemarkError } from '../core/tidemark-error.js';

/** A call that cannot be carried out: one sentence that says what, where, and what to do. */
export class CliError extends TidemarkError {
  override readonly name = 'CliError';

  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options);
  }
}
