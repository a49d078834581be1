import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { serviceName } from '../../wire/services/service-names.js';
import { helpExamples } from '../command-options.js';
import { natsPackages, requirePackages } from '../optional-packages.js';
import { natsOptions } from '../settings/connection-settings.js';
import { requireSettings, type Flags } from '../settings/resolve-settings.js';
import { withSettings } from '../settings/with-settings.js';
import { CliError, type Terminal } from '../terminal.js';
import { recordedStatsCommand } from './recorded-stats.js';

/** The flags of `tidemark stats` that are not settings, because they belong to one run. */
interface StatsFlags {
  readonly service?: string;
  readonly component?: string;
  readonly watch?: boolean;
  readonly from?: string;
  readonly compat?: boolean;
}

/** Adds `tidemark stats`. */
export function addStatsCommand(
  root: Command,
  terminal: Terminal,
  standardInput: Readable,
  finish: (code: number) => void,
): void {
  withSettings(root.command('stats'), 'stats')
    .description('print the statistics of NATS micro services, such as the workers of Dynamo up to 0.8')
    .option('--service <name>', 'ask only this service; for Dynamo: namespace_component')
    .option('--component <name>', 'with --namespace: ask the service of this Dynamo component')
    .option('--watch', 'poll repeatedly, and print changes')
    .option(
      '--from <file>',
      'read recorded replies instead of asking a server: JSON Lines with replies_hex; - is standard input',
    )
    .option('--compat', 'with --from: judge replies exactly like the aggregator of Dynamo 0.3.2 to 0.6')
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
    .action(async (flags: Flags & StatsFlags) => {
      const { from, compat = false, watch } = flags;
      const plan = await requireSettings('stats', flags, process.env, (settings, originOf) => ({
        service: () => serviceOf(flags, settings.namespace, originOf('namespace') === 'flag'),
        nats: () => natsOptions(settings),
      }));
      const { settings, service, nats } = plan;
      const { statsEndpoint: endpoint, statsWindow: windowMs, statsEvery: every, duration, json } = settings;
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
      const options = { nats, service, endpoint, windowMs, duration, json, ...(watch === true && { every }) };
      finish(await liveStatsCommand(options, terminal));
    });
}

/** The chosen service, `null` for every one. A namespace that is not a flag does not choose one by itself. */
function serviceOf(
  { service, component }: StatsFlags,
  namespace: string | undefined,
  isFlag: boolean,
): string | null {
  if (service !== undefined) {
    if (component === undefined && !isFlag) return service;
    throw new CliError('--service already names the service: remove --namespace and --component.');
  }
  if (component !== undefined && namespace !== undefined) return serviceName(namespace, component);
  if (component === undefined && !isFlag) return null;
  const [given, missing] = component === undefined ? ['namespace', 'component'] : ['component', 'namespace'];
  throw new CliError(`--${given} needs a ${missing}: add it, as in --namespace dynamo --component backend.`);
}
