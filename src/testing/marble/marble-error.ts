import { TidemarkError } from '../../core/tidemark-error.js';

/**
 * Why a marble file was refused or failed: `malformed-marble`, the text is none; `marble-call`, it names an
 * operator, an argument or a row that does not exist; `marble-failed`, it ran and a row is not as expected.
 */
export type MarbleErrorCode = 'malformed-marble' | 'marble-call' | 'marble-failed';

/** A marble file that was refused, or that did not hold. `line` counts from 1. */
export class MarbleError extends TidemarkError {
  override readonly name = 'MarbleError';

  constructor(
    code: MarbleErrorCode,
    readonly file: string,
    readonly line: number,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(code, code === 'marble-failed' ? reason : `${file}:${line}: ${reason}.`, options);
  }
}
