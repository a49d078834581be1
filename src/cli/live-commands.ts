import type { Command } from 'commander';
import { helpExamples } from './help-examples.js';
import { accessHelp, withLiveOptions } from './live-options.js';
import { withMarkOptions } from './mark-options.js';
import { needPackages } from './need-packages.js';
import { policyOption } from './policy-option.js';
import type { Terminal } from './terminal.js';
import type { WatchOptions } from './watch-command.js';

type Finish = (code: number) => void;

/** Adds the commands on a live fleet. What they are made of is loaded when one runs: it needs optional packages. */
export function addLiveCommands(root: Command, terminal: Terminal, finish: Finish): void {
  const watch = root
    .command('watch')
    .description('watch a live fleet: who becomes busy or free and why, and how its sources are');
  withFleetOptions(withLiveOptions(watch, 'only this namespace'));
  withMarkOptions(watch)
    .addOption(policyOption('the rules').default('default'))
    .option('--json', 'everything on standard output, one JSON object a line with its kind')
    .addHelpText('after', accessHelp)
    .addHelpText(
      'after',
      '\nTransitions and the summary go to standard output, everything else to standard error.\n' +
        helpExamples(
          'watch --active-decode-blocks-threshold 0.85',
          'watch --nats nats://10.0.0.1:4222 --etcd http://10.0.0.2:2379 --namespace prod --endpoint backend.generate',
        ),
    )
    .action(async (options: WatchOptions) => {
      await needPackages('watch');
      const { watchCommand } = await import('./watch-command.js');
      finish(await watchCommand(options, terminal));
    });
}

function withFleetOptions(command: Command): Command {
  return command
    .option('--endpoint <name>', 'only these workers: component.endpoint, or namespace.component.endpoint')
    .option('--prefill-endpoint <name>', 'where the prefill workers of a disaggregated fleet are');
}
