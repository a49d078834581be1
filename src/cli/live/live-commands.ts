import { Option, type Command } from 'commander';
import { SIMULATION_NAMESPACE } from '../../fleet/live-simulator/simulation-namespace.js';
import { helpExamples, numberOption, policyOption } from '../command-options.js';
import { credentialsHelp, withLiveOptions } from '../fleet-options.js';
import { modelFilePackages, requirePackages } from '../optional-packages.js';
import type { Terminal } from '../terminal.js';
import { withThresholdOptions } from '../threshold-options.js';
import type { RecordOptions } from './record-command.js';
import type { SimulateOptions } from './simulate-command.js';
import type { WatchOptions } from './watch-command.js';

type Finish = (code: number) => void;

/** Adds the commands on a live fleet. Each loads its code when it runs, because that needs optional packages. */
export function addLiveCommands(root: Command, terminal: Terminal, finish: Finish): void {
  addWatch(root, terminal, finish);
  addSimulate(root, terminal, finish);
  addRecord(root, terminal, finish);
}

function addWatch(root: Command, terminal: Terminal, finish: Finish): void {
  const watch = root
    .command('watch')
    .description(
      'watch a live fleet: which workers become busy or free and why, and the status of its sources',
    );
  withFleetOptions(withLiveOptions(watch, 'watch only this namespace'));
  withThresholdOptions(watch)
    .addOption(policyOption('rules of judgement').default('default'))
    .option('--scrape', 'poll the workers of --endpoint for their load (Dynamo up to 0.6)')
    .option('--json', 'print everything to standard output, one JSON object per line with its kind')
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
    .description('simulate a fleet on real servers: leases and model cards in etcd, loads on NATS');
  withLiveOptions(
    simulate,
    {
      text: 'namespace in which the workers register; DYN_NAMESPACE is ignored',
      env: 'TIDEMARK_SIMULATE_NAMESPACE',
      value: SIMULATION_NAMESPACE,
    },
    120,
  )
    .option('--force', 'simulate in a namespace that has workers which are not simulated')
    .option('--workers <n>', 'number of workers', numberOption(1, 1000), 6)
    .option(
      '--prefill-workers <n>',
      'number of prefill workers, at prefill.generate; the other workers then only decode',
      numberOption(0, 1000),
      0,
    )
    .option(
      '--ranks <n>',
      'data-parallel ranks of each worker; always 1 with --generation 0.6',
      numberOption(1, 64),
      2,
    )
    .option('--seed <n>', 'seed; the same seed gives the same loads', numberOption(0, 0xffff_ffff), 1)
    .addOption(
      new Option(
        '--generation <release>',
        'Dynamo release whose keys, subjects and bytes are used; workers of 0.6 answer scrapes',
      )
        .choices(['0.6', '1.0', '1.6'])
        .default('1.6'),
    )
    .addOption(
      new Option(
        '--ttl <seconds>',
        'lease time: how long a worker stays registered after this process is killed',
      )
        .env('ETCD_LEASE_TTL')
        .argParser(numberOption(1, 86_400))
        .default(10),
    )
    .option(
      '--closed-loop',
      'simulate requests, and a router that sends them to workers which are not busy, so that thresholds change the loads',
    )
    .option('--model <name>', 'model name in the model cards', 'simulated-model')
    .option(
      '--model-path <folder>',
      'folder with config.json, tokenizer.json and tokenizer_config.json, so that a Dynamo frontend can serve the model',
    );
  withThresholdOptions(simulate)
    .addOption(policyOption('rules by which busy workers are printed').default('default'))
    .option('--json', 'print everything to standard output, one JSON object per line with its kind')
    .addHelpText('after', credentialsHelp)
    .addHelpText(
      'after',
      '\nIt prints which workers are busy according to the loads that it published. With the same thresholds,\n`tidemark watch` prints the same. The workers cannot serve requests, so a namespace with real workers is refused.\n' +
        helpExamples(
          'simulate --active-decode-blocks-threshold 0.85',
          'simulate --namespace test --generation 1.0 --workers 20 --ranks 4 --duration 600',
          'simulate --prefill-workers 2 --closed-loop --active-decode-blocks-threshold 0.85',
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
    .description('record the events of a live fleet, for `tidemark replay`')
    .argument('[file]', 'new file; - is standard output', '-');
  withFleetOptions(withLiveOptions(record, 'record only this namespace'));
  withThresholdOptions(record)
    .addOption(policyOption('policy to name in the recording').default('default'))
    .addHelpText('after', credentialsHelp)
    .addHelpText(
      'after',
      '\nEvents are on the disk within a second. Only complete lines are written, even if the process is killed.\n' +
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
    .option(
      '--endpoint <name>',
      'use only the workers of this endpoint: component.endpoint, or namespace.component.endpoint',
    )
    .option('--prefill-endpoint <name>', 'endpoint of the prefill workers of a disaggregated fleet');
}
