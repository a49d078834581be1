import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { drawMarble } from '../testing/marble/draw-marble.js';
import { failureText } from '../testing/marble/failure-text.js';
import { fleetOperators } from '../testing/marble/fleet-operators.js';
import type { Marble } from '../testing/marble/marble.js';
import { MarbleError } from '../testing/marble/marble-error.js';
import { runMarble } from '../testing/marble/run-marble.js';
import { updateMarble } from '../testing/marble/update-marble.js';
import { CliError } from './cli-error.js';
import { exitCode } from './exit-code.js';
import { marbleFiles, readMarble } from './marble-files.js';
import type { Terminal } from './terminal.js';
import { errorText } from '../operators/error-text.js';

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
      return check(marbles, terminal);
    case 'update':
      return update(marbles, terminal);
    case 'draw':
      for (const marble of marbles) draw(marble, options, terminal);
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

function check(marbles: readonly Marble[], terminal: Terminal): number {
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

function update(marbles: readonly Marble[], terminal: Terminal): number {
  let failed = false;
  for (const marble of marbles) {
    const before = marble.lines.join('\n');
    try {
      const after = updateMarble(marble, fleetOperators());
      if (after !== before) write(marble.file, after);
      terminal.out(`${marble.file}: ${after === before ? 'holds already' : 'rewritten'}`);
    } catch (error) {
      if (!(error instanceof MarbleError) || error.code !== 'marble-failed') throw error;
      terminal.out(error.message);
      failed = true;
    }
  }
  return failed ? exitCode.failed : exitCode.ok;
}

function draw(marble: Marble, { output }: MarbleOptions, terminal: Terminal): void {
  const svg = drawMarble(marble);
  if (output === undefined) terminal.out(svg.trimEnd());
  else write(output, svg);
}

function write(file: string, text: string): void {
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
