import { Option, type Command } from 'commander';
import { helpExamples, numberOption, policyOption } from '../command-options.js';
import { credentialsHelp, withLiveOptions } from '../fleet-options.js';
import { modelFilePackages, requirePackages } from '../optional-packages.js';
import type { Terminal } from '../terminal.js';
import { withThresholdOptions } from '../threshold-options.js';
import type { RecordOptions } from './record-command.js';
import type { SimulateOptions } from './simulate-command.js';
import type { WatchOptions } from './watch-command.js';

type Finish = (code: number) => void;

/** Adds the commands on a live fleet. What they are made of is loaded when one runs: it needs optional packages. */
export function addLiveCommands(root: Command, terminal: Terminal, finish: Finish): void {
  addWatch(root, terminal, finish);
  addSimulate(root, terminal, finish);
  addRecord(root, terminal, finish);
}

function addWatch(root: Command, terminal: Terminal, finish: Finish): void {
  const watch = root
    .command('watch')
    .description('watch a live fleet: who becomes busy or free and why, and how its sources are');
  withFleetOptions(withLiveOptions(watch, 'only this namespace'));
  withThresholdOptions(watch)
    .addOption(policyOption('the rules').default('default'))
    .option('--scrape', 'ask the workers of --endpoint for their load: those of Dynamo up to 0.6')
    .option('--json', 'everything on standard output, one JSON object a line with its kind')
    .addHelpText('after', credentialsHelp)
    .addHelpText(
      'after',
      '\nTransitions and the summary go to standard output, everything else to standard error.\n' +
        helpExamples(
          'watch --active-decode-blocks-threshold 0.85',
          'watch --nats nats://10.0.0.1:4222 --etcd http://10.0.0.2:2379 --namespace prod --endpoint backend.generate',
          'watch --scrape --namespace old --endpoint backend.generate --active-decode-blocks-threshold 0.85',
        ),
    )
    .action(async (options: WatchOptions) => {
      await requirePackages('watch');
      const { watchCommand } = await import('./watch-command.js');
      finish(await watchCommand(options, terminal));
    });
}

function addSimulate(root: Command, terminal: Terminal, finish: Finish): void {
  const simulate = root
    .command('simulate')
    .description('a simulated fleet as real workers: leases and cards in etcd, loads on NATS');
  withLiveOptions(simulate, 'where they register (default: dynamo)', 120)
    .option('--workers <n>', 'how many workers', numberOption(1, 1000), 6)
    .option('--ranks <n>', 'data-parallel ranks of each worker; one in 0.6', numberOption(1, 64), 2)
    .option('--seed <n>', 'the same seed gives the same loads', numberOption(0, 0xffff_ffff), 1)
    .addOption(
      new Option('--generation <release>', 'whose keys, subjects and bytes; those of 0.6 answer scrapes')
        .choices(['0.6', '1.0', '1.6'])
        .default('1.6'),
    )
    .addOption(
      new Option('--ttl <seconds>', 'how long a worker stays when this process is killed')
        .env('ETCD_LEASE_TTL')
        .argParser(numberOption(1, 86_400))
        .default(10),
    )
    .option('--model <name>', 'the model that their cards name', 'simulated-model')
    .option(
      '--model-path <folder>',
      'its config.json, tokenizer.json and tokenizer_config.json: with these a Dynamo frontend serves it',
    );
  withThresholdOptions(simulate)
    .addOption(policyOption('the rules by which it says who is busy').default('default'))
    .option('--json', 'everything on standard output, one JSON object a line with its kind')
    .addHelpText('after', credentialsHelp)
    .addHelpText(
      'after',
      '\nIt prints who is busy by its own knowledge: with the same marks, what `tidemark watch` sees.\n' +
        'The workers serve nothing: keep them away from the namespace of a fleet that does.\n' +
        helpExamples(
          'simulate --active-decode-blocks-threshold 0.85',
          'simulate --namespace test --generation 1.0 --workers 20 --ranks 4 --duration 600',
          'simulate --namespace old --generation 0.6 --active-decode-blocks-threshold 0.85',
          'simulate --model tiny --model-path ./tiny   # for a real Dynamo frontend',
        ),
    )
    .action(async (options: SimulateOptions) => {
      await requirePackages('simulate', options.modelPath === undefined ? undefined : modelFilePackages);
      const { simulateCommand } = await import('./simulate-command.js');
      finish(await simulateCommand(options, terminal));
    });
}

function addRecord(root: Command, terminal: Terminal, finish: Finish): void {
  const record = root
    .command('record')
    .description('record what a live fleet says, for `tidemark replay`')
    .argument('[file]', 'a new file; - is standard output', '-');
  withFleetOptions(withLiveOptions(record, 'only this namespace'));
  withThresholdOptions(record)
    .addOption(policyOption('the rules that the recording names').default('default'))
    .addHelpText('after', credentialsHelp)
    .addHelpText(
      'after',
      '\nLines are written within a second, whole ones only, also when the process is killed.\n' +
        helpExamples(
          'record night.jsonl --active-decode-blocks-threshold 0.85',
          'record --namespace prod --duration 3600 | gzip > hour.jsonl.gz',
        ),
    )
    .action(async (file: string, options: RecordOptions) => {
      await requirePackages('record');
      const { recordCommand } = await import('./record-command.js');
      finish(await recordCommand(file, options, terminal));
    });
}

function withFleetOptions(command: Command): Command {
  return command
    .option('--endpoint <name>', 'only these workers: component.endpoint, or namespace.component.endpoint')
    .option('--prefill-endpoint <name>', 'where the prefill workers of a disaggregated fleet are');
}
