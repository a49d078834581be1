import { LOAD_METRICS_ENDPOINT } from '../../wire/services/service-names.js';
import { etcdSettings, natsSettings } from './connection-settings.js';
import { fleetSettings } from './fleet-settings.js';
import { ruleSettings } from './rule-settings.js';
import { serviceSettings } from './service-settings.js';
import { numberReader, readBoolean, readText, type Settings, type ValuesOf } from './setting.js';
import { simulateSettings, simulationSettings } from './simulation-settings.js';

const duration = {
  flag: '--duration <seconds>',
  env: 'TIDEMARK_DURATION',
  text: 'stop after this time; without a default, run until Ctrl-C',
  read: numberReader(0.1, 2_000_000, { fraction: true }),
};

const json = {
  flag: '--json',
  env: 'TIDEMARK_JSON',
  text: 'print everything to standard output, one JSON object per line',
  defaultValue: false,
  read: readBoolean,
};

/** The settings of `tidemark stats` itself. */
const statsSettings = {
  statsEndpoint: {
    flag: '--endpoint <name>',
    env: 'TIDEMARK_STATS_ENDPOINT',
    text: 'endpoint whose metrics are a worker’s load',
    defaultValue: LOAD_METRICS_ENDPOINT,
    read: readText,
  },
  statsEvery: {
    flag: '--every <seconds>',
    env: 'TIDEMARK_STATS_EVERY',
    text: 'with --watch: pause between two scrapes',
    defaultValue: 1,
    read: numberReader(0.1, 2_000_000, { fraction: true }),
  },
  statsWindow: {
    flag: '--window <ms>',
    env: 'TIDEMARK_STATS_WINDOW',
    text: 'how long to wait for replies, in milliseconds',
    defaultValue: 300,
    read: numberReader(1, 600_000),
  },
} satisfies Settings;

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
