import { TidemarkError } from '../core/tidemark-error.js';
import { errorText } from '../operators/error-text.js';

/** A monitor could not be started, as there are no configurations to be had. Starting again tries again. */
export class ConfigsUnavailableError extends TidemarkError {
  override readonly name = 'ConfigsUnavailableError';

  constructor(cause: unknown) {
    const why = errorText(cause);
    super('configs-unavailable', `The configurations of the workers cannot be had: ${why}. Start again.`, {
      cause,
    });
  }
}
