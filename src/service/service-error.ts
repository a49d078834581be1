import { TidemarkError } from '../core/errors.js';

/** A request that the service refuses, or a failure to start it. A caller receives `code` and `message` as JSON. */
export class ServiceError extends TidemarkError {
  override readonly name = 'ServiceError';

  constructor(
    /** The HTTP status of the response. */
    readonly status: number,
    code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}
