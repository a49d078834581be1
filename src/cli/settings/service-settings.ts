import { serviceDefaults } from '../../service/service-options.js';
import { numberReader, readBoolean, readHttpUrls, readText, wordReader, type Settings } from './setting.js';

/** The settings of `tidemark serve` itself. */
export const serviceSettings = {
  host: {
    flag: '--host <address>',
    env: 'TIDEMARK_HOST',
    text: 'address to listen on; if other machines can reach it, changes need the admin token',
    defaultValue: serviceDefaults.host,
    read: readText,
  },
  port: {
    flag: '--port <n>',
    env: 'TIDEMARK_PORT',
    text: 'port to listen on; 0 picks a free port',
    defaultValue: serviceDefaults.port,
    read: numberReader(0, 65_535),
  },
  simulate: {
    flag: '--simulate',
    env: 'TIDEMARK_SIMULATE',
    text: 'serve a simulated fleet instead of a live one',
    defaultValue: false,
    read: readBoolean,
  },
  generation: {
    flag: '--generation <release>',
    env: 'TIDEMARK_GENERATION',
    text: 'Dynamo release of the threshold API and of the simulated bytes: 1.0 or 1.6',
    defaultValue: serviceDefaults.release,
    read: wordReader(['1.0', '1.6']),
  },
  frontend: {
    flag: '--frontend <url...>',
    env: 'TIDEMARK_FRONTENDS',
    text: 'Dynamo frontends whose thresholds are used; the first that answers takes precedence',
    defaultValue: [],
    read: readHttpUrls,
  },
  frontendInterval: {
    flag: '--frontend-interval <seconds>',
    env: 'TIDEMARK_FRONTEND_INTERVAL',
    text: 'how often each frontend is polled',
    defaultValue: 5,
    read: numberReader(0.1, 3600, { fraction: true }),
  },
  adminToken: {
    flag: '--admin-token <token>',
    env: 'TIDEMARK_ADMIN_TOKEN',
    text: 'token required for requests that change state; prefer the variable or a file',
    isSecret: true,
    read: readText,
  },
  adminTokenFile: {
    flag: '--admin-token-file <path>',
    env: 'TIDEMARK_ADMIN_TOKEN_FILE',
    text: 'file that contains the admin token',
    read: readText,
  },
  maxReaders: {
    flag: '--max-readers <n>',
    env: 'TIDEMARK_MAX_READERS',
    text: 'maximum number of concurrent event streams',
    defaultValue: serviceDefaults.maxReaders,
    read: numberReader(0, 100_000),
  },
  maxBufferedBytes: {
    flag: '--max-buffered-bytes <n>',
    env: 'TIDEMARK_MAX_BUFFERED_BYTES',
    text: 'maximum number of bytes that wait for one event stream; a reader that stays behind is disconnected',
    defaultValue: serviceDefaults.maxBufferedBytes,
    read: numberReader(1024, 2 ** 30),
  },
  maxBodyBytes: {
    flag: '--max-body-bytes <n>',
    env: 'TIDEMARK_MAX_BODY_BYTES',
    text: 'maximum size of a request body',
    defaultValue: serviceDefaults.maxBodyBytes,
    read: numberReader(1024, 2 ** 30),
  },
  keptEvents: {
    flag: '--kept-events <n>',
    env: 'TIDEMARK_KEPT_EVENTS',
    text: 'number of events that are kept for readers that reconnect',
    defaultValue: serviceDefaults.keptEvents,
    read: numberReader(0, 1_000_000),
  },
  drainSeconds: {
    flag: '--drain-seconds <n>',
    env: 'TIDEMARK_DRAIN_SECONDS',
    text: 'how long to answer requests, reported as not ready, before stopping',
    defaultValue: 0,
    read: numberReader(0, 3600, { fraction: true }),
  },
  logLevel: {
    flag: '--log-level <level>',
    env: 'TIDEMARK_LOG_LEVEL',
    text: 'trace, debug, info, warn, error, fatal or silent; logs are JSON Lines on standard error',
    defaultValue: 'info',
    read: wordReader(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  },
} satisfies Settings;
