/**
 * The base of every error that tidemark throws.
 *
 * 1. `code` is stable and is for programs. `message` is for people: one sentence that says what is wrong, where, and
 *    what to do.
 * 2. `cause` is the underlying error, if there is one.
 */
export class TidemarkError extends Error {
  override readonly name: string = 'TidemarkError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
