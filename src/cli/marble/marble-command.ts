import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { errorText } from '../../operators/error-text.js';
import { drawMarble } from '../../testing/marble/draw/draw-marble.js';
import { type Marble, MarbleError } from '../../testing/marble/grammar/marble.js';
import { parseMarble } from '../../testing/marble/grammar/parse-marble.js';
import { fleetOperators } from '../../testing/marble/operators/fleet-operators.js';
import { failureText } from '../../testing/marble/run/assert-marble.js';
import { runMarble } from '../../testing/marble/run/run-marble.js';
import { updateMarble } from '../../testing/marble/run/update-marble.js';
import { readInput } from '../read-input.js';
import { CliError, type Terminal, exitCode } from '../terminal.js';

/** What `tidemark marble` does with files. */
export type MarbleAction = 'check' | 'update' | 'draw';

/** The options of `tidemark marble`. */
export interface MarbleOptions {
  /** Where `draw` writes; absent: to standard output. */
  readonly output?: string;
}

/**
 * `tidemark marble`: runs marble files and tells what does not hold, rewrites what they expect, or draws one. All
 * files are read before anything is done with the first.
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

/** Adds `tidemark marble` to the command line. `finish` is told the exit code of what ran. */
export function addMarbleCommand(root: Command, terminal: Terminal, finish: (code: number) => void): Command {
  const marble = root
    .command('marble')
    .description('run, rewrite or draw marble files: diagrams that are specification, test and picture')
    .exitOverride();
  marble
    .command('check')
    .description('run marble files; draw what does not hold, and say why')
    .argument('[file...]', 'marble files (default: marbles/*.txt)')
    .addHelpText(
      'after',
      '\nExit codes: 0 all hold, 1 a marble does not hold, 2 a file cannot be read or is malformed.\n' +
        examples('marble check', 'marble check marbles/held-until-its-card-arrives.txt'),
    )
    .action((files: string[]) => finish(marbleCommand('check', files, {}, terminal)));
  marble
    .command('update')
    .description(
      'rewrite the expected rows to what really comes; look at the difference before you commit it',
    )
    .argument('<file...>', 'marble files')
    .addHelpText('after', examples('marble update marbles/held-until-its-card-arrives.txt'))
    .action((files: string[]) => finish(marbleCommand('update', files, {}, terminal)));
  marble
    .command('draw')
    .description('draw a marble file as SVG')
    .argument('<file>', 'a marble file')
    .option('-o, --output <file>', 'where to write (default: standard output)')
    .addHelpText('after', examples('marble draw marbles/held-until-its-card-arrives.txt -o held.svg'))
    .action((file: string, options: MarbleOptions) =>
      finish(marbleCommand('draw', [file], options, terminal)),
    );
  for (const command of marble.commands) command.exitOverride().configureHelp({ sortOptions: false });
  return marble;
}

function runMarbles(marbles: readonly Marble[], terminal: Terminal): number {
  // An operator or argument that does not exist makes a file malformed, so nothing is told before all have run.
  const results = marbles.map((marble, index) => {
    terminal.progress(`running ${index + 1} of ${marbles.length}: ${marble.file}`);
    return runMarble(marble, fleetOperators());
  });
  terminal.progress('');
  const failed = results.filter(({ passed }) => !passed);
  for (const result of failed) terminal.out(`${failureText(result)}\n`);
  const held = results.length - failed.length;
  terminal.out(`${held} of ${results.length} ${results.length === 1 ? 'marble holds' : 'marbles hold'}`);
  return failed.length === 0 ? exitCode.ok : exitCode.failed;
}

function updateMarbles(marbles: readonly Marble[], terminal: Terminal): number {
  let failed = false;
  for (const marble of marbles) {
    const before = marble.lines.join('\n');
    try {
      const after = updateMarble(marble, fleetOperators());
      if (after !== before) writeOutput(marble.file, after);
      terminal.out(`${marble.file}: ${after === before ? 'holds already' : 'rewritten'}`);
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
    throw new CliError(`${file} cannot be written: ${reason}; check the path and its permissions.`, {
      cause: error,
    });
  }
}

function examples(...calls: string[]): string {
  return `\nExamples:\n${calls.map((call) => `  $ tidemark ${call}`).join('\n')}`;
}

/** Where marble files are looked for when none is named. */
const MARBLE_FOLDER = 'marbles';

/**
 * The marble files that are meant: those named, or all of `marbles/`.
 *
 * @throws CliError when none is named and there are none
 */
export function marbleFiles(named: readonly string[]): readonly string[] {
  if (named.length > 0) return named;
  let names: string[];
  try {
    names = readdirSync(MARBLE_FOLDER).filter((name) => name.endsWith('.txt'));
  } catch (error) {
    throw new CliError(`there is no folder ${MARBLE_FOLDER} here; name the files, or go where it is.`, {
      cause: error,
    });
  }
  if (names.length === 0) throw new CliError(`the folder ${MARBLE_FOLDER} has no .txt file; name the files.`);
  return names.sort().map((name) => join(MARBLE_FOLDER, name));
}

/**
 * A marble file, parsed.
 *
 * @throws CliError when it cannot be read; MarbleError, with file and line, when it is malformed
 */
export function readMarble(file: string): Marble {
  return parseMarble(new TextDecoder().decode(readInput(file)), file);
}
