import type { blake3 } from '@noble/hashes/blake3.js';
import { loadPackage } from '../adapters/packages/load-package.js';

/**
 * Loads BLAKE3, with which model cards name files, when a card names any: `@noble/hashes` is an optional peer.
 *
 * @throws PackageError
 */
export async function blake3Package(): Promise<typeof blake3> {
  return (await loadPackage('@noble/hashes', () => import('@noble/hashes/blake3.js'))).module.blake3;
}
