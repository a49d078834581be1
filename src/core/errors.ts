import { TidemarkError } from '../operators/tidemark-error.js';

export { TidemarkError };

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

/** Every {@link PackageErrorCode}. */
export const packageErrorCodes = ['package-missing', 'package-version', 'package-broken'] as const;

/**
 * - `package-missing`: the package is not installed.
 * - `package-version`: a version is installed that tidemark does not support; usually it is too old.
 * - `package-broken`: a supported version is installed, but it cannot be loaded.
 */
export type PackageErrorCode = (typeof packageErrorCodes)[number];

/** The code of an error that is about an optional package. */
export function packageErrorCode(error: unknown): PackageErrorCode | undefined {
  const { code } = Object(error) as { readonly code?: unknown };
  return packageErrorCodes.find((known) => known === code);
}

/** An optional package cannot be used. The message names the command that installs it. */
export class PackageError extends TidemarkError {
  override readonly name = 'PackageError';
  declare readonly code: PackageErrorCode;

  constructor(
    code: PackageErrorCode,
    /** The name of the package in the registry. */
    readonly packageName: string,
    /** What is wrong with it, such as `is not installed`. */
    readonly detail: string,
    /** The arguments of `npm install`. */
    readonly install: string,
    options?: ErrorOptions,
  ) {
    super(code, `The package ${packageName} ${detail}: npm install ${install}`, options);
  }
}
