import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { LOAD_METRICS_ENDPOINT, serviceName } from '../../wire/services/service-names.js';
import { helpExamples, numberOption } from '../command-options.js';
import { namespaceOption, natsCredentialsHelp, natsOption } from '../fleet-options.js';
import { natsPackages, requirePackages } from '../optional-packages.js';
import { CliError, type Terminal } from '../terminal.js';
import { recordedStatsCommand } from './recorded-stats.js';

/** The options of `tidemark stats` as given on the command line. */
interface StatsOptions {
  readonly nats: string;
  readonly service?: string;
  readonly namespace?: string;
  readonly component?: string;
  readonly endpoint: string;
  readonly watch?: boolean;
  readonly every: number;
  readonly window: number;
  readonly duration?: number;
  readonly from?: string;
  readonly compat?: boolean;
  readonly json?: boolean;
}

/** Adds `tidemark stats`. */
export function addStatsCommand(
  root: Command,
  terminal: Terminal,
  standardInput: Readable,
  finish: (code: number) => void,
): void {
  const seconds = numberOption(0.1, 2_000_000, { fraction: true });
  root
    .command('stats')
    .description('print the statistics of NATS micro services, such as the workers of Dynamo up to 0.8')
    .addOption(natsOption())
    .option('--service <name>', 'ask only this service; for Dynamo: namespace_component')
    .addOption(namespaceOption('with --component: ask the service of this Dynamo component'))
    .option('--component <name>', 'with --namespace: the Dynamo component')
    .option('--endpoint <name>', 'endpoint whose metrics are a worker’s load', LOAD_METRICS_ENDPOINT)
    .option('--watch', 'poll repeatedly, and print changes')
    .option('--every <seconds>', 'with --watch: pause between two scrapes', seconds, 1)
    .option('--window <ms>', 'how long to wait for replies', numberOption(1, 600_000), 300)
    .option('--duration <seconds>', 'with --watch: stop after this time (default: run until Ctrl-C)', seconds)
    .option(
      '--from <file>',
      'read recorded replies instead of asking a server: JSON Lines with replies_hex; - is standard input',
    )
    .option('--compat', 'with --from: judge replies exactly like the aggregator of Dynamo 0.3.2 to 0.6')
    .option('--json', 'print one JSON object per line (always on with --from)')
    .addHelpText('after', natsCredentialsHelp)
    .addHelpText(
      'after',
      '\nThe table goes to standard output, problems to standard error. As JSON, there is a line of kind service for each\n' +
        'instance, one of kind problem for each problem, and at the end one of kind scrape with the average load.\n' +
        '\nWith --from, a line of the file contains the replies of one scrape: {"replies_hex":["7b22…",…]}. For each line, in\n' +
        'order, the output is {"loadAvg","loadStd","endpoints":[{"workerId","kvActiveBlocks",…}]}, endpoints in ascending\n' +
        'order of ids, then of ranks. Ids are decimal strings, counts have all their digits, and the average of no\n' +
        'endpoints is null. Problems of replies go to standard error; a malformed line gives\n' +
        '{"error":{"code","message"}}.\n' +
        '\nExit codes: 0 at least one reply, 1 no replies, 2 the scrape failed or was incomplete.\n' +
        helpExamples(
          'stats',
          'stats --nats nats://10.0.0.1:4222 --namespace prod --component backend',
          'stats --service orders --watch --every 5',
          'stats --from replies.jsonl --service dynamo_backend --json',
          'stats --from - --service dynamo_backend --endpoint load_metrics --compat --json < replies.jsonl',
        ),
    )
    .action(async (options: StatsOptions, command: Command) => {
      const { from, endpoint, compat = false, watch, every, ...rest } = options;
      const service = serviceOf(options, command.getOptionValueSource('namespace') === 'cli');
      if (from !== undefined) {
        if (service === null)
          throw new CliError('--from needs the name of the service: add it, as in --service dynamo_backend.');
        finish(await recordedStatsCommand({ from, service, endpoint, compat }, terminal, standardInput));
        return;
      }
      if (compat)
        throw new CliError('--compat only applies to recorded replies: add --from, or remove --compat.');
      await requirePackages('stats', natsPackages);
      const { liveStatsCommand } = await import('./live-stats.js');
      const live = { ...rest, service, endpoint, ...(watch === true && { every }) };
      finish(await liveStatsCommand(live, terminal));
    });
}

/** The chosen service, `null` for every one. The environment variable of the namespace alone does not choose one. */
function serviceOf({ service, namespace, component }: StatsOptions, isFlag: boolean): string | null {
  if (service !== undefined) {
    if (component === undefined && !isFlag) return service;
    throw new CliError('--service already names the service: remove --namespace and --component.');
  }
  if (component === undefined) {
    if (isFlag)
      throw new CliError(
        '--namespace needs a component: add it, as in --namespace dynamo --component backend.',
      );
    return null;
  }
  if (namespace === undefined || namespace === '')
    throw new CliError(
      '--component needs a namespace: add it, as in --namespace dynamo --component backend.',
    );
  return serviceName(namespace, component);
}
