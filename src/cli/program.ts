import type { Readable } from 'node:stream';
import { Command } from 'commander';
import { packageVersion } from '../service/package-version.js';
import { helpExamples, numberOption, policyOption } from './command-options.js';
import { demoCommand, type DemoOptions } from './demo/demo-command.js';
import { addLiveCommands } from './live/live-commands.js';
import { addMarbleCommand } from './marble/marble-command.js';
import { decodeCommand, type DecodeOptions } from './recordings/decode-command.js';
import { replayCommand, type ReplayOptions } from './recordings/replay-command.js';
import { addServiceCommands } from './serve/serve-commands.js';
import { addStatsCommand } from './stats/stats-command.js';
import type { Terminal } from './terminal.js';
import { withThresholdOptions } from './threshold-options.js';

/** The command line: every command, its options, its help. `finish` is told the exit code of the one that ran. */
export function program(
  terminal: Terminal,
  standardInput: Readable,
  finish: (code: number) => void,
): Command {
  const root = new Command('tidemark')
    .description('Which workers of an LLM inference fleet are above their load marks, why, and since when.')
    .version(packageVersion())
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      helpExamples('demo --duration 10', 'replay --check recordings/*.jsonl', 'decode captured.jsonl'),
    );

  withThresholdOptions(root.command('demo'))
    .description(
      'watch a simulated fleet: one line for each worker that becomes busy or free, and why; and serve it',
    )
    .option('--seed <n>', 'the same seed gives the same fleet', numberOption(0, 0xffff_ffff), 1)
    .option('--workers <n>', 'how many workers', numberOption(1, 1000), 6)
    .option('--ranks <n>', 'data-parallel ranks of each worker', numberOption(1, 64), 2)
    .option('--duration <seconds>', 'how long to watch', numberOption(0.1, 86_400, { fraction: true }), 20)
    .addOption(policyOption('the rules, and the generation of bytes').default('default'))
    .option(
      '--port <n>',
      'where it is served as well; 0 is any port that is free',
      numberOption(0, 65_535),
      9420,
    )
    .option('--json', 'one JSON object a line, the summary last')
    .addHelpText(
      'after',
      helpExamples('demo', 'demo --seed 7 --workers 20 --ranks 8', 'demo --policy dynamo-1.0 --json'),
    )
    .action(async (options: DemoOptions) => finish(await demoCommand(options, terminal)));

  root
    .command('replay')
    .description('play recordings in virtual time and sum them up')
    .argument('<file...>', 'recordings (JSON Lines; .gz is unpacked)')
    .option('--check', 'tell every expectation that does not hold, and exit with 1 if there is one')
    .addOption(policyOption('play under another policy than the recording names'))
    .option('--json', 'one JSON object for each file')
    .addHelpText(
      'after',
      '\nExit codes: 0 all well, 1 an expectation does not hold (--check), 2 a file cannot be read or is no recording.\n' +
        helpExamples('replay --check recordings/*.jsonl', 'replay --policy default --json night.jsonl.gz'),
    )
    .action((files: string[], options: ReplayOptions) => finish(replayCommand(files, options, terminal)));

  root
    .command('decode')
    .description('decode captured load messages and discovery records, one JSON object a line')
    .argument(
      '[file]',
      'JSON Lines with subject and payload_hex, or key, value_hex and lease_hex; - is standard input',
    )
    .addOption(policyOption('which releases’ messages are accepted').default('default'))
    .addHelpText(
      'after',
      '\nOut come, in order: {"kind":"load",…} as in a recording, {"kind":"instance"|"model"|"eventChannel",…},\n' +
        '{"kind":"unknown"}, or {"error":{"code","message","offset"}}. Ids are decimal strings, and so are counts\n' +
        'above 2^53 − 1. An empty value_hex is a removal. The count of each kind goes to standard error.\n' +
        helpExamples('decode nats.jsonl', 'decode --policy dynamo-1.6 < nats.jsonl'),
    )
    .action(async (file: string | undefined, options: DecodeOptions) =>
      finish(await decodeCommand(file, options, terminal, standardInput)),
    );

  addStatsCommand(root, terminal, standardInput, finish);
  addLiveCommands(root, terminal, finish);
  addServiceCommands(root, terminal, finish);
  addMarbleCommand(root, terminal, finish);
  for (const command of root.commands) command.exitOverride().configureHelp({ sortOptions: false });
  return root;
}
