import type { Command } from 'commander';
import { helpExamples } from '../command-options.js';
import type { Flags } from '../settings/resolve-settings.js';
import { withSettings } from '../settings/with-settings.js';
import type { Terminal } from '../terminal.js';
import { checkCommand } from './check-command.js';

/** Adds the commands of the service. `serve` loads its code when it runs, because that needs optional packages. */
export function addServiceCommands(root: Command, terminal: Terminal, finish: (code: number) => void): void {
  withSettings(root.command('serve'), 'serve')
    .description(
      'serve over HTTP which workers are busy and why: threshold API, metrics, server-sent events, explanations',
    )
    .addHelpText(
      'after',
      helpExamples(
        'serve --simulate --active-decode-blocks-threshold 0.85',
        'serve --namespace prod --nats nats://10.0.0.1:4222 --etcd http://10.0.0.2:2379',
        'serve --config tidemark.yaml --frontend http://10.0.0.3:8000 http://10.0.0.4:8000',
      ),
    )
    .action(async (flags: Flags) => {
      const { serveCommand } = await import('./serve-command.js');
      finish(await serveCommand(flags, terminal));
    });

  withSettings(root.command('check'), 'serve')
    .description(
      'print the settings that `tidemark serve` would use with the same flags, environment and file, and where each comes from',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nExit codes: 0 tidemark serve would start, 2 it would not; all problems are printed.\n` +
        helpExamples('check', 'check --config tidemark.yaml --port 9000'),
    )
    .action(async (flags: Flags) => finish(await checkCommand(flags, terminal)));
}
