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

/** The kinds of trouble of a system, each known by what the errors of its client say; the first that fits counts. */
export type ErrorPatterns<Code extends string> = readonly (readonly [RegExp, Code])[];

/** The kind of an error, by its system code and its text; `otherwise` where none fits. */
export function errorCode<Code extends string>(
  error: unknown,
  text: string,
  patterns: ErrorPatterns<Code>,
  defaultCode: Code,
): Code {
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  return patterns.find(([pattern]) => pattern.test(`${systemCode} ${text}`))?.[1] ?? defaultCode;
}

/** A text of somebody else's as a part of a sentence: one line, no end, not too long. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 400);
}
