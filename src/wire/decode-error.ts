/**
 * Why bytes could not be decoded:
 *
 * - `empty`, `truncated`: there is nothing, or less than the bytes promise;
 * - `malformed`: a byte that no document of the format has there;
 * - `wrong-type`: another type than the field has (floats are no integers);
 * - `out-of-range`: an integer that is negative or too large for its field;
 * - `wrong-length`: a positional form of another length;
 * - `missing-field`, `duplicate-key`: a field too few, a field twice;
 * - `invalid-utf8`: text that is none;
 * - `too-deep`: nested beyond 128 levels;
 * - `trailing`: something follows a complete JSON document;
 * - `unsupported-format`: a format that the policy does not read;
 * - `bad-key`: a discovery key of no known shape.
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

/** A decode failure as a value: a stable code, a sentence, and the byte it is about. */
export interface DecodeError {
  readonly code: DecodeErrorCode;
  readonly message: string;
  /** Bytes from the beginning of what was given to decode. */
  readonly offset: number;
}

/**
 * A decode failure on its way to the door of the decoder, which turns it into a {@link DecodeError}. It never
 * leaves this room.
 */
export class DecodeFailure extends Error {
  constructor(
    readonly code: DecodeErrorCode,
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/** Runs a decoder and turns its failure into a value; every other exception is a defect and passes. */
export function catchDecodeFailure<T>(decode: () => T): T | { readonly error: DecodeError } {
  try {
    return decode();
  } catch (failure) {
    if (!(failure instanceof DecodeFailure)) throw failure;
    return { error: { code: failure.code, message: failure.message, offset: failure.offset } };
  }
}
