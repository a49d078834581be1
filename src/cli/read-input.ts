import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { CliError } from './terminal.js';

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

/**
 * The lines of a file, or of standard input where there is no file or it is called `-`; empty ones are left out.
 *
 * @throws CliError that names the file, where it cannot be read
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
    throw new CliError(`${file ?? 'standard input'} cannot be read: ${error.message}; check the path.`, {
      cause: error,
    });
  }
}
