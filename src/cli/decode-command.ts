import type { Readable } from 'node:stream';
import { policyNamed } from '../core/policy-named.js';
import { LoadDecoder } from '../wire/load-decoder.js';
import { decodeLine } from './decode-line.js';
import { exitCode } from './exit-code.js';
import { inputLines } from './input-lines.js';
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
  const counts = new Map<string, number>();
  for await (const { text } of inputLines(file, standardInput)) {
    for (const decoded of decodeLine(text, decoder)) {
      const kind = 'error' in decoded ? 'error' : decoded.kind;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      terminal.out(jsonText(decoded));
    }
  }
  const sum = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${count} ${kind}`);
  terminal.err(`decoded under ${options.policy}: ${sum.join(', ') || 'nothing'}`);
  return exitCode.ok;
}
