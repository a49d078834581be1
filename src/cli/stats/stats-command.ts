import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { serviceName } from '../../wire/services/service-names.js';
import { helpExamples, numberOption } from '../command-options.js';
import { namespaceOption, natsCredentialsHelp, natsOption } from '../fleet-options.js';
import { natsPackages, requirePackages } from '../optional-packages.js';
import { CliError, type Terminal } from '../terminal.js';
import { recordedStatsCommand } from './recorded-stats.js';

/** The options of `tidemark stats` as they were given. */
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
    .description(
      'what NATS micro services, and the workers of Dynamo up to 0.8, say of themselves when asked',
    )
    .addOption(natsOption())
    .option('--service <name>', 'only this service; for Dynamo namespace_component')
    .addOption(namespaceOption('with --component: the service of that component of Dynamo'))
    .option('--component <name>', 'with --namespace: the component')
    .option('--endpoint <name>', 'the endpoint whose metrics are a worker’s load', 'load_metrics')
    .option('--watch', 'ask again and again, and tell what changed')
    .option('--every <seconds>', 'with --watch: the pause between two scrapes', seconds, 1)
    .option('--window <ms>', 'how long to wait for replies', numberOption(1, 600_000), 300)
    .option('--duration <seconds>', 'with --watch: end by itself after so long', seconds)
    .option(
      '--from <file>',
      'recorded replies in place of a server: JSON Lines with replies_hex; - is standard input',
    )
    .option('--compat', 'with --from: judge replies exactly as the aggregator of Dynamo 0.3.2 to 0.6')
    .option('--json', 'one JSON object a line, which recorded replies always give')
    .addHelpText('after', natsCredentialsHelp)
    .addHelpText(
      'after',
      '\nThe table goes to standard output, what was wrong to standard error. As JSON, a line of kind service for each\n' +
        'instance, one of kind scrape at the end with the average load, and one of kind problem for whatever was wrong.\n' +
        '\nA line of the file holds the replies of one scrape: {"replies_hex":["7b22…",…]}. For each one comes, in order,\n' +
        '{"loadAvg","loadStd","endpoints":[{"workerId","kvActiveBlocks",…}]}, endpoints by number. Ids are decimal\n' +
        'strings, counts have all their digits, and an average of nobody is null. What was wrong with a reply goes to\n' +
        'standard error; a line that holds no replies gives {"error":{"code","message"}}.\n' +
        '\nExit codes: 0 somebody answered, 1 nobody did, 2 it could not be asked, or not to the end.\n' +
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
          throw new CliError('Whose replies? Name the service with --service, as in dynamo_backend.');
        finish(await recordedStatsCommand({ from, service, endpoint, compat }, terminal, standardInput));
        return;
      }
      if (compat) throw new CliError('--compat is for recorded replies: name them with --from.');
      await requirePackages('stats', natsPackages);
      const { liveStatsCommand: statsLive } = await import('./live-stats.js');
      const live = { ...rest, service, endpoint, ...(watch === true && { every }) };
      finish(await statsLive(live, terminal));
    });
}

/** The service that is meant, `null` for every one. The variable for the namespace alone names none. */
function serviceOf({ service, namespace, component }: StatsOptions, isFlag: boolean): string | null {
  if (service !== undefined) {
    if (component === undefined && !isFlag) return service;
    throw new CliError('--service names it all: leave --namespace and --component out.');
  }
  if (component === undefined) {
    if (isFlag)
      throw new CliError('--namespace needs the --component, as in --namespace dynamo --component backend.');
    return null;
  }
  if (namespace === undefined || namespace === '')
    throw new CliError('--component needs its --namespace, as in --namespace dynamo --component backend.');
  return serviceName(namespace, component);
}
