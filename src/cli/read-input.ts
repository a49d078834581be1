import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CliError } from './cli-error.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  EACCES: 'it may not be read; check its permissions',
  EISDIR: 'it is a folder; name the files in it',
};

/**
 * The content of a file, unpacked when its name ends in `.gz`.
 *
 * @throws CliError that names the file, and says why it cannot be read
 */
export function readInput(file: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new CliError(`${file} cannot be read: ${reasons[code] ?? message}.`, { cause: error });
  }
  if (!file.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new CliError(`${file} is no complete gzip file; unpack it by hand or record it anew.`, {
      cause: error,
    });
  }
}
