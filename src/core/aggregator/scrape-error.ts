import type { PackageErrorCode } from '../package-error.js';
import { TidemarkError } from '../tidemark-error.js';

/**
 * Why a scrape is not complete:
 *
 * - `disconnected`: the connection was not there, or was lost meanwhile;
 * - `refused`: we may not ask, or may not hear the answers;
 * - `timeout`: the server did not say that it has handed out everything;
 * - `too-many-replies`, `too-many-bytes`: more came than is taken;
 * - `package-missing`, `package-version`, `package-broken`: the package `nats` cannot be used, see {@link PackageError};
 * - `failed`: anything else, which `cause` tells.
 */
export type ScrapeErrorCode =
  | 'disconnected'
  | 'refused'
  | 'timeout'
  | 'too-many-replies'
  | 'too-many-bytes'
  | 'failed'
  | PackageErrorCode;

/** A scrape could not be made, or was cut short. */
export class ScrapeError extends TidemarkError {
  override readonly name = 'ScrapeError';

  constructor(
    override readonly code: ScrapeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}
