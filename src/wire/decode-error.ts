import { TidemarkError } from '../core/errors.js';

/**
 * Why bytes could not be decoded:
 *
 * - `empty`: there are no bytes;
 * - `truncated`: the input ends before the document does;
 * - `malformed`: the syntax is wrong;
 * - `wrong-type`: the field has another type (a float is not an integer);
 * - `out-of-range`: an integer is negative or too large for its field;
 * - `wrong-length`: an array of fields has the wrong number of elements;
 * - `missing-field`, `duplicate-key`: a field is missing or occurs twice;
 * - `invalid-utf8`: a text is not valid UTF-8;
 * - `too-deep`: the document is nested deeper than 128 levels;
 * - `trailing`: something follows a complete JSON document;
 * - `unsupported-format`: the policy does not read this format;
 * - `bad-key`: a discovery key has no known shape.
 */
export type DecodeErrorCode =
  | 'empty'
  | 'truncated'
  | 'malformed'
  | 'wrong-type'
  | 'out-of-range'
  | 'wrong-length'
  | 'missing-field'
  | 'duplicate-key'
  | 'invalid-utf8'
  | 'too-deep'
  | 'trailing'
  | 'unsupported-format'
  | 'bad-key';

/** A decode failure as a value: a stable code, a sentence, and the offset of the byte that caused it. */
export interface DecodeError {
  readonly code: DecodeErrorCode;
  readonly message: string;
  /** In bytes from the beginning of the input. */
  readonly offset: number;
}

/**
 * A decode failure as an exception, internal to wire/: the public decoders turn it into a {@link DecodeError}.
 */
export class DecodeFailure extends TidemarkError {
  override readonly name = 'DecodeFailure';
  declare readonly code: DecodeErrorCode;

  constructor(
    code: DecodeErrorCode,
    message: string,
    readonly offset: number,
  ) {
    super(code, message);
  }
}

/** Runs a decoder and turns its failure into a value. Any other exception is a defect and is thrown. */
export function catchDecodeFailure<T>(decode: () => T): T | { readonly error: DecodeError } {
  try {
    return decode();
  } catch (failure) {
    if (!(failure instanceof DecodeFailure)) throw failure;
    return { error: { code: failure.code, message: failure.message, offset: failure.offset } };
  }
}
