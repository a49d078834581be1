import type { Readable } from 'node:stream';
import { Command } from 'commander';
import { packageVersion } from '../service/package-version.js';
import { helpExamples } from './command-options.js';
import { addDemoCommand } from './demo/demo-command.js';
import { addLiveCommands } from './live/live-commands.js';
import { addMarbleCommand } from './marble/marble-command.js';
import { addDecodeCommand } from './recordings/decode-command.js';
import { addReplayCommand } from './recordings/replay-command.js';
import { addServiceCommands } from './serve/serve-commands.js';
import { addStatsCommand } from './stats/stats-command.js';
import type { Terminal } from './terminal.js';

/** The command line: every command with its options and its help. `finish` receives the exit code of the command. */
export function program(
  terminal: Terminal,
  standardInput: Readable,
  finish: (code: number) => void,
): Command {
  const root = new Command('tidemark')
    .description(
      'Which workers of an LLM inference fleet are above their load thresholds, why, and since when.',
    )
    .version(packageVersion)
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      helpExamples('demo --duration 10', 'replay --check recordings/*.jsonl', 'decode captured.jsonl'),
    );

  addDemoCommand(root, terminal, finish);
  addReplayCommand(root, terminal, finish);
  addDecodeCommand(root, terminal, standardInput, finish);
  addStatsCommand(root, terminal, standardInput, finish);
  addLiveCommands(root, terminal, finish);
  addServiceCommands(root, terminal, finish);
  addMarbleCommand(root, terminal, finish);
  for (const command of root.commands) command.exitOverride().configureHelp({ sortOptions: false });
  return root;
}
