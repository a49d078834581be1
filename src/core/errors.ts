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

/** The error codes of a system, each with a pattern that the error texts of its client match. The first match counts. */
export type ErrorPatterns<Code extends string> = readonly (readonly [RegExp, Code])[];

/** The code of an error, by its system code and its text; `defaultCode` when no pattern matches. */
export function errorCode<Code extends string>(
  error: unknown,
  text: string,
  patterns: ErrorPatterns<Code>,
  defaultCode: Code,
): Code {
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  return patterns.find(([pattern]) => pattern.test(`${systemCode} ${text}`))?.[1] ?? defaultCode;
}

/** A foreign text as a part of a sentence: on one line, without a final full stop, at most 400 characters. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 400);
}
