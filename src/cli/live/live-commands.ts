import type { Command } from 'commander';
import { helpExamples } from '../command-options.js';
import { modelFilePackages, requirePackages } from '../optional-packages.js';
import type { Flags } from '../settings/resolve-settings.js';
import { withSettings } from '../settings/with-settings.js';
import type { Terminal } from '../terminal.js';
import { fleetPlan, simulatePlan } from './live-plans.js';

type Finish = (code: number) => void;

/** Adds the commands on a live fleet. Each loads its code when it runs, because that needs optional packages. */
export function addLiveCommands(root: Command, terminal: Terminal, finish: Finish): void {
  addWatch(root, terminal, finish);
  addSimulate(root, terminal, finish);
  addRecord(root, terminal, finish);
}

function addWatch(root: Command, terminal: Terminal, finish: Finish): void {
  withSettings(root.command('watch'), 'watch')
    .description(
      'watch a live fleet: which workers become busy or free and why, and the status of its sources',
    )
    .addHelpText(
      'after',
      '\nTransitions and the summary go to standard output, everything else to standard error.\n' +
        'Exit codes: 0 a worker was judged, 2 it cannot run or never reached a server, 5 no worker could be judged.\n' +
        helpExamples(
          'watch --active-decode-blocks-threshold 0.85',
          'watch --nats nats://10.0.0.1:4222 --etcd http://10.0.0.2:2379 --namespace prod --endpoint backend.generate',
          'watch --scrape --namespace old --endpoint backend.generate --active-decode-blocks-threshold 0.85',
        ),
    )
    .action(async (flags: Flags) => {
      const plan = await fleetPlan('watch', flags, process.env);
      await requirePackages('watch');
      const { watchCommand } = await import('./watch-command.js');
      finish(await watchCommand(plan, terminal));
    });
}

function addSimulate(root: Command, terminal: Terminal, finish: Finish): void {
  withSettings(root.command('simulate'), 'simulate')
    .description('simulate a fleet on real servers: leases and model cards in etcd, loads on NATS')
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
    .action(async (flags: Flags) => {
      const plan = await simulatePlan(flags, process.env);
      const { simulateModelPath } = plan.settings;
      await requirePackages('simulate', simulateModelPath === undefined ? undefined : modelFilePackages);
      const { simulateCommand } = await import('./simulate-command.js');
      finish(await simulateCommand(plan, terminal));
    });
}

function addRecord(root: Command, terminal: Terminal, finish: Finish): void {
  withSettings(root.command('record'), 'record')
    .description('record the events of a live fleet, for `tidemark replay`')
    .argument('[file]', 'new file; - is standard output', '-')
    .addHelpText(
      'after',
      '\nEvents are on the disk within a second. Only complete lines are written, even if the process is killed.\n' +
        helpExamples(
          'record night.jsonl --active-decode-blocks-threshold 0.85',
          'record --namespace prod --duration 3600 | gzip > hour.jsonl.gz',
        ),
    )
    .action(async (file: string, flags: Flags) => {
      const plan = await fleetPlan('record', flags, process.env);
      await requirePackages('record');
      const { recordCommand } = await import('./record-command.js');
      finish(await recordCommand(file, plan, terminal));
    });
}
