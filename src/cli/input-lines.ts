import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CliError } from './cli-error.js';

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
