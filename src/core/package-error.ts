import { TidemarkError } from './tidemark-error.js';

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
