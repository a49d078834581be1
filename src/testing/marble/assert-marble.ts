import { failureText } from './failure-text.js';
import { MarbleError } from './marble-error.js';
import type { MarbleOperators } from './marble-operator.js';
import { parseMarble } from './parse-marble.js';
import { runMarble } from './run-marble.js';

/**
 * Runs the text of a marble file, and throws when it does not hold: one line in a test of any framework.
 *
 * @throws MarbleError with file and line, or with the expected rows, the actual ones and the reasons
 *
 * @example
 * ```ts
 * import { map } from 'rxjs';
 * import { assertMarble } from 'tidemark/testing';
 *
 * const operators = { double: () => map((n: number) => n * 2) };
 * assertMarble('-a-|\na := 2\n> double\n-b-|\nb := 4', 'double.txt', operators);
 * console.log('holds');
 * // Logs: holds
 * ```
 *
 * @see {@link runMarble}
 */
export function assertMarble(text: string, file: string, operators: MarbleOperators): void {
  const result = runMarble(parseMarble(text, file), operators);
  if (result.passed) return;
  const line = result.outputs.find(({ reasons }) => reasons.length > 0)?.stream.line ?? 1;
  throw new MarbleError('marble-failed', file, line, failureText(result));
}
