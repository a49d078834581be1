import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { program } from '../../../src/cli/program.js';

const WIDTH = 110;

/** The help of every command, as `tidemark COMMAND --help` prints it. */
export function commandReference(): string {
  const ignore = (): void => undefined;
  const root = program({ out: ignore, err: ignore, progress: ignore }, new PassThrough(), ignore);
  return root.commands.flatMap((command) => sectionsOf(command, 'tidemark')).join('\n\n');
}

function sectionsOf(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  const section = `### ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``;
  return [section, ...command.commands.flatMap((child) => sectionsOf(child, name))];
}

function helpOf(command: Command): string {
  let text = '';
  command
    .configureOutput({
      writeOut: (part) => (text += part),
      getOutHelpWidth: () => WIDTH,
      getOutHasColors: () => false,
    })
    .outputHelp();
  return text.replace(/ +$/gm, '').trimEnd();
}
