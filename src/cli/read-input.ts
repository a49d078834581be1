import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { CliError } from './terminal.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist; check the path',
  EACCES: 'permission denied; check its permissions',
  EISDIR: 'it is a folder; name the files in it',
};

/**
 * Reads a file, and unpacks it if its name ends in `.gz`.
 *
 * @throws CliError with the name of the file and the reason if it cannot be read
 */
export function readInput(file: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new CliError(`Cannot read ${file}: ${reasons[code] ?? message}.`, { cause: error });
  }
  if (!file.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new CliError(`${file} is not a complete gzip file; unpack it by hand, or record it again.`, {
      cause: error,
    });
  }
}

/**
 * The non-empty lines of a file, or of standard input if the file is absent or `-`.
 *
 * @throws CliError with the name of the file if it cannot be read
 */
export async function* inputLines(
  file: string | undefined,
  standardInput: Readable,
): AsyncGenerator<{ readonly text: string; readonly number: number }> {
  const input = file === undefined || file === '-' ? standardInput : createReadStream(file);
  let number = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      number += 1;
      if (text.trim() !== '') yield { text, number };
    }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new CliError(`Cannot read ${file ?? 'standard input'}: ${error.message}; check the path.`, {
      cause: error,
    });
  }
}
