import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { CliError } from './cli-error.js';
import { helpExamples } from './help-examples.js';
import { statsFrom } from './stats-from.js';
import type { Terminal } from './terminal.js';

/** The options of `tidemark stats` as they were given. */
interface StatsOptions {
  readonly from?: string;
  readonly service?: string;
  readonly endpoint: string;
  readonly compat?: boolean;
}

/** Adds `tidemark stats`. */
export function addStatsCommand(
  root: Command,
  terminal: Terminal,
  standardInput: Readable,
  finish: (code: number) => void,
): void {
  root
    .command('stats')
    .description('the statistics that the workers of a component answer when they are scraped')
    .option('--from <file>', 'recorded replies: JSON Lines with replies_hex; - is standard input')
    .option('--service <name>', 'the NATS service of the workers: namespace_component')
    .option('--endpoint <name>', 'the endpoint whose metrics are read', 'load_metrics')
    .option('--compat', 'judge replies exactly as the aggregator of Dynamo 0.3.2 to 0.6')
    .option('--json', 'one JSON object a line, which recorded replies always give')
    .addHelpText(
      'after',
      '\nA line of the file holds the replies of one scrape: {"replies_hex":["7b22…",…]}. For each one comes, in order,\n' +
        '{"loadAvg","loadStd","endpoints":[{"workerId","kvActiveBlocks",…}]}, endpoints by number. Ids are decimal\n' +
        'strings, counts have all their digits, and an average of nobody is null. What was wrong with a reply goes to\n' +
        'standard error; a line that holds no replies gives {"error":{"code","message"}}.\n' +
        helpExamples(
          'stats --from replies.jsonl --service dynamo_backend --json',
          'stats --from - --service dynamo_backend --endpoint load_metrics --compat --json < replies.jsonl',
        ),
    )
    .action(async ({ from, service, endpoint, compat = false }: StatsOptions) => {
      if (from === undefined) throw new CliError('Nothing to read: name recorded replies with --from.');
      if (service === undefined)
        throw new CliError('Whose replies? Name the service with --service, as in dynamo_backend.');
      finish(await statsFrom({ from, service, endpoint, compat }, terminal, standardInput));
    });
}
