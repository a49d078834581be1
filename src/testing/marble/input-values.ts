import { operatorNamed } from './build-outputs.js';
import { deepFreeze } from './deep-freeze.js';
import type { Marble, MarbleStream } from './marble.js';
import { MarbleError } from './marble-error.js';
import type { MarbleOperators } from './marble-operator.js';
import { errorText } from '../../operators/error-text.js';

/**
 * What the letters of an input stand for, as the first operator reads them, frozen. An error stays its JSON.
 *
 * @throws MarbleError with the line of a binding that the operator refuses
 */
export function inputValues(
  marble: Marble,
  stream: MarbleStream,
  operators: MarbleOperators,
): ReadonlyMap<string, unknown> {
  const [first] = marble.calls;
  const read = first && operatorNamed(marble, first, operators).read;
  const values = new Map<string, unknown>();
  for (const { letter, line, value } of stream.bindings.values())
    values.set(
      letter,
      deepFreeze(letter === '#' || !read ? value : readAt(marble, line, letter, () => read(value))),
    );
  return values;
}

function readAt(marble: Marble, line: number, letter: string, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    const text = errorText(error);
    throw new MarbleError('malformed-marble', marble.file, line, `${letter}: ${text.replace(/\.$/, '')}`, {
      cause: error,
    });
  }
}
