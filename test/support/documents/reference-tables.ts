import {
  type Metric,
  legacyMetrics,
  tidemarkMetrics,
  workerGauges,
} from '../../../src/adapters/prometheus/metric-names.js';
import { commandSettings, settingNames } from '../../../src/cli/settings/command-settings.js';
import type { Setting, Settings } from '../../../src/cli/settings/setting.js';
import { defaultText } from '../../../src/cli/settings/with-settings.js';
import { problemCodes } from '../../../src/core/sources/problem.js';
import type { RecordedEvent } from '../../../src/wire/recording/recording.js';
import { markdownTable } from './markdown-table.js';

/** All settings, each with the commands that take it. */
export function settingsTable(): string {
  return markdownTable(
    ['name in a file', 'flag', 'environment variable', 'default', 'commands', 'what it sets'],
    settingNames.map((name) => {
      const takers = Object.entries<Settings>(commandSettings).flatMap(([command, { [name]: setting }]) =>
        setting === undefined ? [] : [{ command, setting }],
      );
      const [{ flag = '', env, fallbackEnv, text } = { env: '', text: '' }] = takers.map(
        ({ setting }) => setting,
      );
      const commands = takers.map(({ command }) => command);
      return [
        code([name]),
        code([flag]),
        code([env, fallbackEnv ?? []].flat()),
        defaultsOf(takers),
        code(commands),
        text,
      ];
    }),
  );
}

/** The default value, or the values by command if they differ. */
function defaultsOf(takers: readonly { readonly command: string; readonly setting: Setting }[]): string {
  const defaults = takers.map(
    ({ command, setting }) => [command, defaultText(setting.defaultValue)] as const,
  );
  const values = new Set(defaults.map(([, value]) => value));
  if (values.size === 1) return code([...values]);
  return defaults
    .flatMap(([command, value]) => (value === '' ? [] : [`${code([value])} (${command})`]))
    .join(', ');
}

function code(words: readonly string[]): string {
  const shown = words.filter((word) => word !== '').map((word) => `\`${word}\``);
  return shown.length === 0 ? 'none' : shown.join(', ');
}

function metricsTable(metrics: Readonly<Record<string, Metric>>): string {
  return markdownTable(
    ['metric', 'type', 'labels', 'help'],
    Object.values(metrics).map(({ name, type, labelNames, help }) => [
      `\`${name}\``,
      type,
      labelNames.map((label) => `\`${label}\``).join(', ') || 'only those of the pool',
      help,
    ]),
  );
}

export const workerGaugesTable = (): string => metricsTable(workerGauges);
export const tidemarkMetricsTable = (): string => metricsTable(tidemarkMetrics);
export const legacyMetricsTable = (): string => metricsTable(legacyMetrics);

/** The codes of problems, which are also the values of the label `code` of `tidemark_problems_total`. */
export const problemCodesList = (): string => problemCodes.map((code) => `\`${code}\``).join(', ');

/** An example and the meaning of every kind of event of a recording. The compiler checks that no kind is missing. */
export const recordedEvents: Readonly<
  Record<RecordedEvent['kind'], { readonly example: string; readonly text: string }>
> = {
  start: {
    example: '{"kind":"start","thresholds":{"activeDecodeBlocksThreshold":0.85},"decodeInstances":["7"]}',
    text:
      'A new monitor starts, without any state. A recording may contain several. `thresholds` and `decodeInstances`: ' +
      'what is known at the start. Optional: `prefillInstances` (a prefill watch is attached from the start), `loads` ' +
      '(`false`: subscribing to loads failed), `cards` (`true`: there is a source of configs), `source` (the role of ' +
      'the pool: `aggregated`, `decode` or `prefill`), `name` and `about` (shown when an expectation does not hold)',
  },
  configs: {
    example: '{"kind":"configs","workers":{"7":{"totalKvBlocks":1000,"dataParallelSize":2}}}',
    text:
      'The configs of all workers, replacing the last ones. Fields of a config: `totalKvBlocks`, ' +
      '`maxNumBatchedTokens`, `dataParallelStartRank`, `dataParallelSize`, all optional',
  },
  config: {
    example: '{"kind":"config","workerId":"7","config":{"totalKvBlocks":1000}}',
    text: 'One config was added, replaced or, with `null`, removed',
  },
  decodeInstances: {
    example: '{"kind":"decodeInstances","workerIds":["7","9"]}',
    text: 'The instances at the endpoint of the pool, replacing the last ones',
  },
  instance: {
    example: '{"kind":"instance","workerId":"7","present":true}',
    text:
      'One instance joined or left. With `"role":"prefill"`: an instance of a prefill watch, which `watch` names by ' +
      'its number',
  },
  prefillAttached: {
    example: '{"kind":"prefillAttached","workerIds":["9"]}',
    text: 'A prefill watch begins with these instances. Watches are numbered from 0',
  },
  prefillInstances: {
    example: '{"kind":"prefillInstances","workerIds":["9"],"watch":0}',
    text: 'The instances of a prefill watch, replacing the last ones. Without `watch`: of the newest watch',
  },
  prefillClosed: {
    example: '{"kind":"prefillClosed","watch":0}',
    text: 'A prefill watch ends. Without `watch`: the newest one',
  },
  load: {
    example:
      '{"kind":"load","workerId":"7","dpRank":0,"activeDecodeBlocks":90,"activePrefillTokens":null,"kvUsedBlocks":null}',
    text:
      'One load. An absent value and `null` both mean that the load has no such value. Optional: `topic` (a topic ' +
      'other than `kv_metrics` is ignored), `source`, `publisherId`, `sequence`, `publishedAt`',
  },
  message: {
    example: '{"kind":"message","payloadHex":"90"}',
    text: 'One raw load message, which is decoded under the policy of the recording',
  },
  schedulerLoads: {
    example:
      '{"kind":"schedulerLoads","loads":[{"workerId":"7","dpRank":0,"activeDecodeBlocks":20,"activePrefillTokens":200}]}',
    text: 'Loads as the local scheduler counts them, in one batch',
  },
  thresholds: {
    example: '{"kind":"thresholds","activeDecodeBlocksThreshold":0.85,"activePrefillTokensThreshold":null}',
    text:
      'Thresholds change. The cell `nullThreshold` of the policy says what `null` does. With `"checked":true`, values ' +
      'that the policy refuses are a problem, and nothing changes',
  },
  marked: {
    example: '{"kind":"marked","workerId":"7"}',
    text: 'The request path sets an overload mark on a worker',
  },
  markExpired: {
    example: '{"kind":"markExpired","workerId":"7"}',
    text: 'The time of an overload mark is over',
  },
  reportedDown: {
    example: '{"kind":"reportedDown","workerId":"7"}',
    text: 'The request path reports a worker as down',
  },
  problem: {
    example:
      '{"kind":"problem","problem":{"code":"undecodable","source":"loads","text":"no envelope","count":1}}',
    text: 'A problem that an adapter found',
  },
  loadError: {
    example: '{"kind":"loadError","text":"connection reset"}',
    text: 'The source of loads failed',
  },
  configError: { example: '{"kind":"configError"}', text: 'The source of configs failed' },
  instancesError: { example: '{"kind":"instancesError"}', text: 'The source of instances failed' },
  loadStreamEnded: { example: '{"kind":"loadStreamEnded"}', text: 'The source of loads ended' },
  configsEnded: { example: '{"kind":"configsEnded"}', text: 'The source of configs ended' },
  instancesEnded: { example: '{"kind":"instancesEnded"}', text: 'The source of instances ended' },
  stop: { example: '{"kind":"stop"}', text: 'The monitor is stopped' },
};

/** The kinds of event in a recording. */
export function recordedEventsTable(): string {
  return markdownTable(
    ['event', 'meaning'],
    Object.values(recordedEvents).map(({ example, text }) => [`\`${example}\``, text]),
  );
}
