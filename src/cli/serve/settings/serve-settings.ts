import { policies } from '../../../core/policy/policies.js';
import { serviceDefaults } from '../../../service/service-options.js';
import { DEMO_MODEL } from '../../../simulator/simulated-worker.js';
import {
  readTextSetting,
  readCountSetting,
  readHttpUrls,
  numberReader,
  wordReader,
  readBooleanSetting,
  type Setting,
} from './setting.js';

/** A threshold, or the word `None`, by which Dynamo turns a check off. */
function thresholdOrNone<T>(read: Setting<T>['read']): Setting<T | undefined>['read'] {
  return (texts) => (/^none$/i.test(readTextSetting(texts)) ? undefined : read(texts));
}

type Entry<T> = Omit<Setting<T>, 'name' | 'defaultValue'>;

/** A setting with a default value. */
function withDefault<T>(defaultValue: T, entry: Entry<T>): Entry<T> & { readonly defaultValue: T } {
  return { ...entry, defaultValue };
}

/** A setting without a default value. */
function withoutDefault<T>(entry: Entry<T>): Entry<T> {
  return entry;
}

/** All settings of `tidemark serve`. Where Dynamo has an environment variable, that variable is used. */
const table = {
  host: withDefault(serviceDefaults.host as string, {
    flag: '--host <address>',
    env: 'TIDEMARK_HOST',
    text: 'address to listen on; if other machines can reach it, changes need the admin token',
    read: readTextSetting,
  }),
  port: withDefault(serviceDefaults.port as number, {
    flag: '--port <n>',
    env: 'TIDEMARK_PORT',
    text: 'port to listen on; 0 picks a free port',
    read: numberReader(0, 65_535),
  }),
  simulate: withDefault(false, {
    flag: '--simulate',
    env: 'TIDEMARK_SIMULATE',
    text: 'serve a simulated fleet instead of a live one',
    read: readBooleanSetting,
  }),
  model: withDefault(DEMO_MODEL, {
    flag: '--model <name>',
    env: 'TIDEMARK_MODEL',
    text: 'model name of the simulated fleet',
    read: readTextSetting,
  }),
  workers: withDefault(6, {
    flag: '--workers <n>',
    env: 'TIDEMARK_WORKERS',
    text: 'number of simulated workers',
    read: numberReader(1, 10_000),
  }),
  ranks: withDefault(2, {
    flag: '--ranks <n>',
    env: 'TIDEMARK_RANKS',
    text: 'data-parallel ranks of each simulated worker',
    read: numberReader(1, 64),
  }),
  seed: withDefault(1, {
    flag: '--seed <n>',
    env: 'TIDEMARK_SEED',
    text: 'seed; the same seed simulates the same loads',
    read: numberReader(0, 0xffff_ffff),
  }),
  generation: withDefault(serviceDefaults.release as '1.0' | '1.6', {
    flag: '--generation <release>',
    env: 'TIDEMARK_GENERATION',
    text: 'Dynamo release of the threshold API and of the simulated bytes: 1.0 or 1.6',
    read: wordReader(['1.0', '1.6']),
  }),
  policy: withoutDefault<string>({
    flag: '--policy <name>',
    env: 'TIDEMARK_POLICY',
    text: 'rules of judgement (default: those of --generation if it is given, otherwise default)',
    read: wordReader(Object.keys(policies)),
  }),
  nats: withDefault('nats://localhost:4222', {
    flag: '--nats <urls>',
    env: 'NATS_SERVER',
    text: 'NATS servers, comma-separated',
    read: readTextSetting,
  }),
  etcd: withDefault('http://localhost:2379', {
    flag: '--etcd <urls>',
    env: 'ETCD_ENDPOINTS',
    text: 'etcd hosts, comma-separated',
    read: readTextSetting,
  }),
  namespace: withoutDefault<string>({
    flag: '--namespace <name>',
    env: 'DYN_NAMESPACE',
    text: 'watch only this namespace',
    read: readTextSetting,
  }),
  activeDecodeBlocksThreshold: withoutDefault({
    flag: '--active-decode-blocks-threshold <fraction>',
    env: 'DYN_ACTIVE_DECODE_BLOCKS_THRESHOLD',
    text: 'initial threshold: busy above this fraction of the KV blocks, 0 to 1',
    read: thresholdOrNone(numberReader(0, 1, { fraction: true })),
  }),
  activePrefillTokensThreshold: withoutDefault({
    flag: '--active-prefill-tokens-threshold <tokens>',
    env: 'DYN_ACTIVE_PREFILL_TOKENS_THRESHOLD',
    text: 'initial threshold: busy above this many prefill tokens',
    read: thresholdOrNone(readCountSetting),
  }),
  activePrefillTokensThresholdFrac: withoutDefault({
    flag: '--active-prefill-tokens-threshold-frac <fraction>',
    env: 'DYN_ACTIVE_PREFILL_TOKENS_THRESHOLD_FRAC',
    text: 'initial threshold: busy above this multiple of the batch limit',
    read: thresholdOrNone(numberReader(0, Number.MAX_VALUE, { fraction: true })),
  }),
  frontend: withDefault<readonly string[]>([], {
    flag: '--frontend <url...>',
    env: 'TIDEMARK_FRONTENDS',
    text: 'Dynamo frontends whose thresholds are used; the first that answers takes precedence',
    read: readHttpUrls,
  }),
  frontendInterval: withDefault(5, {
    flag: '--frontend-interval <seconds>',
    env: 'TIDEMARK_FRONTEND_INTERVAL',
    text: 'how often each frontend is polled',
    read: numberReader(0.1, 3600, { fraction: true }),
  }),
  adminToken: withoutDefault<string>({
    flag: '--admin-token <token>',
    env: 'TIDEMARK_ADMIN_TOKEN',
    text: 'token required for requests that change state; prefer the variable or a file',
    isSecret: true,
    read: readTextSetting,
  }),
  adminTokenFile: withoutDefault<string>({
    flag: '--admin-token-file <path>',
    env: 'TIDEMARK_ADMIN_TOKEN_FILE',
    text: 'file that contains the admin token',
    read: readTextSetting,
  }),
  maxReaders: withDefault(serviceDefaults.maxReaders as number, {
    flag: '--max-readers <n>',
    env: 'TIDEMARK_MAX_READERS',
    text: 'maximum number of concurrent event streams',
    read: numberReader(0, 100_000),
  }),
  maxBufferedBytes: withDefault(serviceDefaults.maxBufferedBytes as number, {
    flag: '--max-buffered-bytes <n>',
    env: 'TIDEMARK_MAX_BUFFERED_BYTES',
    text: 'maximum number of bytes that wait for one event stream; a reader that stays behind is disconnected',
    read: numberReader(1024, 2 ** 30),
  }),
  maxBodyBytes: withDefault(serviceDefaults.maxBodyBytes as number, {
    flag: '--max-body-bytes <n>',
    env: 'TIDEMARK_MAX_BODY_BYTES',
    text: 'maximum size of a request body',
    read: numberReader(1024, 2 ** 30),
  }),
  keptEvents: withDefault(serviceDefaults.keptEvents as number, {
    flag: '--kept-events <n>',
    env: 'TIDEMARK_KEPT_EVENTS',
    text: 'number of events that are kept for readers that reconnect',
    read: numberReader(0, 1_000_000),
  }),
  drainSeconds: withDefault(0, {
    flag: '--drain-seconds <n>',
    env: 'TIDEMARK_DRAIN_SECONDS',
    text: 'how long to answer requests, reported as not ready, before stopping',
    read: numberReader(0, 3600, { fraction: true }),
  }),
  logLevel: withDefault('info', {
    flag: '--log-level <level>',
    env: 'TIDEMARK_LOG_LEVEL',
    text: 'trace, debug, info, warn, error, fatal or silent; logs are JSON Lines on standard error',
    read: wordReader(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  }),
};

type Table = typeof table;

/** The effective settings of `tidemark serve`. */
export type ServeSettings = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly defaultValue: infer Default }
    ? Default
    : ReturnType<Table[Name]['read']> | undefined;
};

/** All settings, in the order in which they are printed. */
export const serveSettings: readonly Setting[] = Object.entries(table).map(([name, setting]) => ({
  name,
  ...setting,
}));
