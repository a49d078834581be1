import { LOAD_METRICS_ENDPOINT } from '../../wire/services/service-names.js';
import { etcdSettings, natsSettings } from './connection-settings.js';
import { fleetSettings } from './fleet-settings.js';
import { ruleSettings } from './rule-settings.js';
import { serviceSettings } from './service-settings.js';
import { aNumber, aSwitch, aText, declare, type Settings, type ValuesOf } from './setting.js';
import { simulateSettings, simulationSettings } from './simulation-settings.js';

const { duration, json } = declare({
  duration: {
    ...aNumber('<seconds>', 0.1, 2_000_000, { fraction: true }),
    text: 'stop after this time; without a default, run until Ctrl-C',
  },
  json: { ...aSwitch, text: 'print everything to standard output, one JSON object per line' },
});

/** The settings of `tidemark stats` itself. */
const statsSettings = declare({
  statsEndpoint: {
    ...aText('<name>'),
    flag: '--endpoint',
    defaultValue: LOAD_METRICS_ENDPOINT,
    text: 'endpoint whose metrics are a worker’s load',
  },
  statsEvery: {
    ...aNumber('<seconds>', 0.1, 2_000_000, { fraction: true }),
    flag: '--every',
    defaultValue: 1,
    text: 'with --watch: pause between two scrapes',
  },
  statsWindow: {
    ...aNumber('<ms>', 1, 600_000),
    flag: '--window',
    defaultValue: 300,
    text: 'how long to wait for replies, in milliseconds',
  },
});

const connectionSettings = { ...natsSettings, ...etcdSettings };
const { namespace } = fleetSettings;
const { port } = serviceSettings;

/** The settings that each command takes, in the order in which they are printed. */
export const commandSettings = {
  demo: { ...simulationSettings, ...ruleSettings, port, duration: { ...duration, defaultValue: 20 }, json },
  stats: { ...natsSettings, namespace, ...statsSettings, duration, json },
  watch: { ...connectionSettings, ...fleetSettings, ...ruleSettings, duration, json },
  simulate: {
    ...connectionSettings,
    ...simulateSettings,
    ...simulationSettings,
    ...ruleSettings,
    duration: { ...duration, defaultValue: 120 },
    json,
  },
  record: { ...connectionSettings, ...fleetSettings, ...ruleSettings, duration },
  serve: {
    ...serviceSettings,
    ...simulationSettings,
    ...ruleSettings,
    ...connectionSettings,
    ...fleetSettings,
  },
} satisfies Readonly<Record<string, Settings>>;

/** A command that takes settings. */
export type CommandName = keyof typeof commandSettings;

/** The effective settings of a command. */
export type CommandValues<Name extends CommandName> = ValuesOf<(typeof commandSettings)[Name]>;

/** The names of all settings. One file may contain the settings of several commands. */
export const settingNames: readonly string[] = [
  ...new Set(Object.values(commandSettings).flatMap((settings) => Object.keys(settings))),
];
