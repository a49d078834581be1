/**
 * The base of every error that tidemark throws.
 *
 * 1. `code` is stable and meant for programs; `message` is one sentence that says what is wrong, where, and
 *    what to do, and is meant for people.
 * 2. `cause` is the error underneath, when there is one.
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
