import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { policyNamed } from '../core/policy-named.js';
import { LoadDecoder } from '../wire/load-decoder.js';
import { CliError } from './cli-error.js';
import { decodeLine } from './decode-line.js';
import { exitCode } from './exit-code.js';
import { jsonText } from '../wire/json-text.js';
import type { Terminal } from './terminal.js';

/** The options of `tidemark decode`. */
export interface DecodeOptions {
  readonly policy: string;
}

/**
 * `tidemark decode`: captured bytes in, one JSON object a line out, in the same order. What does not decode is an
 * object with `error`; counts of each kind go to standard error.
 */
export async function decodeCommand(
  file: string | undefined,
  options: DecodeOptions,
  terminal: Terminal,
  standardInput: Readable,
): Promise<number> {
  const decoder = new LoadDecoder(policyNamed(options.policy));
  const input = file === undefined || file === '-' ? standardInput : createReadStream(file);
  const counts = new Map<string, number>();
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      if (line.trim() === '') continue;
      for (const decoded of decodeLine(line, decoder)) {
        const kind = 'error' in decoded ? 'error' : decoded.kind;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        terminal.out(jsonText(decoded));
      }
    }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new CliError(`${file ?? 'standard input'} cannot be read: ${error.message}; check the path.`, {
      cause: error,
    });
  }
  const sum = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${count} ${kind}`);
  terminal.err(`decoded under ${options.policy}: ${sum.join(', ') || 'nothing'}`);
  return exitCode.ok;
}
