import { TidemarkError } from '../core/errors.js';

/** A call of the service that cannot be carried out. `code` and the sentence go to the caller as JSON. */
export class ServiceError extends TidemarkError {
  override readonly name = 'ServiceError';

  constructor(
    /** Of the HTTP answer. */
    readonly status: number,
    code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}
