import { errorText } from '../operators/error-text.js';
import { TidemarkError } from '../operators/tidemark-error.js';

export { TidemarkError };

/** How the errors of a system become codes and sentences. */
export interface ErrorTexts<Code extends string> {
  /** The name of the system. */
  readonly system: string;
  /** Codes, each with a pattern that the error texts of the client match. The first match counts. */
  readonly patterns: readonly (readonly [RegExp, Code])[];
  /** The code when no pattern matches. */
  readonly defaultCode: Code;
  /** What to do, for each code. */
  readonly advice: Readonly<Record<Code, string>>;
}

/** The code of an error of a server during an action, and the sentences "SYSTEM at URL, ACTION: REASON. ADVICE". */
export function describeServerError<Code extends string>(
  { system, patterns, defaultCode, advice }: ErrorTexts<Code>,
  error: unknown,
  url: string,
  action: string,
): { readonly code: Code; readonly message: string } {
  const text = errorText(error);
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  const code = patterns.find(([pattern]) => pattern.test(`${systemCode} ${text}`))?.[1] ?? defaultCode;
  return { code, message: `${system} at ${url}, ${action}: ${oneLine(text)}. ${advice[code]}` };
}

/** A foreign text as a part of a sentence: on one line, without a final full stop, at most 400 characters. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 400);
}

/** Invalid options. `problems` lists everything that is wrong with them. */
export class OptionsError extends TidemarkError {
  constructor(
    code: string,
    readonly problems: readonly string[],
  ) {
    super(code, `${problems.join('; ')}.`);
  }
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
