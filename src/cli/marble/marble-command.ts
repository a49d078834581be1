import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { plural } from '../../core/number-text.js';
import { errorText } from '../../operators/error-text.js';
import { drawMarble } from '../../testing/marble/draw/draw-marble.js';
import { type Marble, MarbleError } from '../../testing/marble/grammar/marble.js';
import { parseMarble } from '../../testing/marble/grammar/parse-marble.js';
import { fleetOperators } from '../../testing/marble/operators/fleet-operators.js';
import { failureText } from '../../testing/marble/run/assert-marble.js';
import { runMarble } from '../../testing/marble/run/run-marble.js';
import { updateMarble } from '../../testing/marble/run/update-marble.js';
import { helpExamples } from '../command-options.js';
import { readInput } from '../read-input.js';
import { CliError, type Terminal, exitCode } from '../terminal.js';

/** The subcommands of `tidemark marble`. */
export type MarbleAction = 'check' | 'update' | 'draw';

/** The options of `tidemark marble`. */
export interface MarbleOptions {
  /** The file that `draw` writes; standard output when absent. */
  readonly output?: string;
}

/**
 * `tidemark marble`: runs marble files and prints the failures, rewrites their expectations, or draws one. All files are
 * read before the first is processed.
 */
export function marbleCommand(
  action: MarbleAction,
  files: readonly string[],
  options: MarbleOptions,
  terminal: Terminal,
): number {
  const marbles = (action === 'check' ? marbleFiles(files) : files).map(readMarble);
  switch (action) {
    case 'check':
      return runMarbles(marbles, terminal);
    case 'update':
      return updateMarbles(marbles, terminal);
    case 'draw':
      for (const marble of marbles) writeDrawing(marble, options, terminal);
      return exitCode.ok;
  }
}

/** Adds `tidemark marble`. `finish` receives the exit code. */
export function addMarbleCommand(root: Command, terminal: Terminal, finish: (code: number) => void): Command {
  const marble = root
    .command('marble')
    .description(
      'run, rewrite or draw marble files: diagrams that are specification, test and picture in one',
    )
    .exitOverride();
  marble
    .command('check')
    .description('run marble files; print each failure with its reason')
    .argument('[file...]', 'marble files (default: marbles/*.txt)')
    .addHelpText(
      'after',
      '\nExit codes: 0 all marbles hold, 1 a marble does not hold, 2 a file cannot be read or is malformed.\n' +
        helpExamples('marble check', 'marble check marbles/load-is-held-until-config-arrives.txt'),
    )
    .action((files: string[]) => finish(marbleCommand('check', files, {}, terminal)));
  marble
    .command('update')
    .description('rewrite the expected rows to the actual output; review the difference before you commit it')
    .argument('<file...>', 'marble files')
    .addHelpText('after', helpExamples('marble update marbles/load-is-held-until-config-arrives.txt'))
    .action((files: string[]) => finish(marbleCommand('update', files, {}, terminal)));
  marble
    .command('draw')
    .description('draw a marble file as SVG')
    .argument('<file>', 'a marble file')
    .option('-o, --output <file>', 'output file (default: standard output)')
    .addHelpText(
      'after',
      helpExamples('marble draw marbles/load-is-held-until-config-arrives.txt -o held.svg'),
    )
    .action((file: string, options: MarbleOptions) =>
      finish(marbleCommand('draw', [file], options, terminal)),
    );
  for (const command of marble.commands) command.exitOverride().configureHelp({ sortOptions: false });
  return marble;
}

function runMarbles(marbles: readonly Marble[], terminal: Terminal): number {
  // An unknown operator or argument makes a file malformed, so nothing is printed until all files have run.
  const results = marbles.map((marble, index) => {
    terminal.progress(`running ${index + 1} of ${marbles.length}: ${marble.file}`);
    return runMarble(marble, fleetOperators());
  });
  terminal.progress('');
  const failed = results.filter(({ passed }) => !passed);
  for (const result of failed) terminal.out(`${failureText(result)}\n`);
  const held = results.length - failed.length;
  terminal.out(`${held} of ${plural(results.length, 'marble')} ${results.length === 1 ? 'holds' : 'hold'}`);
  return failed.length === 0 ? exitCode.ok : exitCode.failed;
}

function updateMarbles(marbles: readonly Marble[], terminal: Terminal): number {
  let failed = false;
  for (const marble of marbles) {
    const before = marble.lines.join('\n');
    try {
      const after = updateMarble(marble, fleetOperators());
      if (after !== before) writeOutput(marble.file, after);
      terminal.out(`${marble.file}: ${after === before ? 'already holds' : 'rewritten'}`);
    } catch (error) {
      if (!(error instanceof MarbleError) || error.code !== 'marble-failed') throw error;
      terminal.out(error.message);
      failed = true;
    }
  }
  return failed ? exitCode.failed : exitCode.ok;
}

function writeDrawing(marble: Marble, { output }: MarbleOptions, terminal: Terminal): void {
  const svg = drawMarble(marble);
  if (output === undefined) terminal.out(svg.trimEnd());
  else writeOutput(output, svg);
}

function writeOutput(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const reason = errorText(error);
    throw new CliError(`Cannot write ${file}: ${reason}; check the path and its permissions.`, {
      cause: error,
    });
  }
}

/** The folder that is searched when no file is named. */
const MARBLE_FOLDER = 'marbles';

/**
 * The named marble files, or all files of `marbles/` if none is named.
 *
 * @throws CliError if no file is named and the folder has none
 */
function marbleFiles(named: readonly string[]): readonly string[] {
  if (named.length > 0) return named;
  let names: string[];
  try {
    names = readdirSync(MARBLE_FOLDER).filter((name) => name.endsWith('.txt'));
  } catch (error) {
    throw new CliError(
      `There is no folder ${MARBLE_FOLDER} here; name the files, or change to the folder that contains it.`,
      {
        cause: error,
      },
    );
  }
  if (names.length === 0) throw new CliError(`The folder ${MARBLE_FOLDER} has no .txt file; name the files.`);
  return names.sort().map((name) => join(MARBLE_FOLDER, name));
}

/**
 * Reads and parses a marble file.
 *
 * @throws CliError if the file cannot be read; MarbleError, with file and line, if it is malformed
 */
function readMarble(file: string): Marble {
  return parseMarble(new TextDecoder().decode(readInput(file)), file);
}
