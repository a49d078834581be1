import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Marble } from '../testing/marble/marble.js';
import { parseMarble } from '../testing/marble/parse-marble.js';
import { CliError } from './cli-error.js';
import { readInput } from './read-input.js';

/** Where marble files are looked for when none is named. */
const FOLDER = 'marbles';

/**
 * The marble files that are meant: those named, or all of `marbles/`.
 *
 * @throws CliError when none is named and there are none
 */
export function marbleFiles(named: readonly string[]): readonly string[] {
  if (named.length > 0) return named;
  let names: string[];
  try {
    names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
  } catch (error) {
    throw new CliError(`there is no folder ${FOLDER} here; name the files, or go where it is.`, {
      cause: error,
    });
  }
  if (names.length === 0) throw new CliError(`the folder ${FOLDER} has no .txt file; name the files.`);
  return names.sort().map((name) => join(FOLDER, name));
}

/**
 * A marble file, parsed.
 *
 * @throws CliError when it cannot be read; MarbleError, with file and line, when it is malformed
 */
export function readMarble(file: string): Marble {
  return parseMarble(new TextDecoder().decode(readInput(file)), file);
}
