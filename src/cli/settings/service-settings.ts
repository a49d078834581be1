import { serviceDefaults } from '../../service/service-options.js';
import { aNumber, aSwitch, aText, aWord, declare, httpUrls } from './setting.js';

/** The settings of `tidemark serve` itself. */
export const serviceSettings = declare({
  host: {
    ...aText('<address>'),
    defaultValue: serviceDefaults.host,
    text: 'address to listen on; if other machines can reach it, changes need the admin token',
  },
  port: {
    ...aNumber('<n>', 0, 65_535),
    defaultValue: serviceDefaults.port,
    text: 'port to listen on; 0 picks a free port',
  },
  simulate: { ...aSwitch, text: 'serve a simulated fleet instead of a live one' },
  generation: {
    ...aWord('<release>', ['1.0', '1.6']),
    defaultValue: serviceDefaults.release,
    text: 'Dynamo release of the threshold API and of the simulated bytes: 1.0 or 1.6',
  },
  frontend: {
    ...httpUrls('<url...>'),
    env: 'TIDEMARK_FRONTENDS',
    defaultValue: [],
    text: 'Dynamo frontends whose thresholds are used; for each model, the first that lists it takes precedence',
  },
  frontendInterval: {
    ...aNumber('<seconds>', 0.1, 3600, { fraction: true }),
    defaultValue: 5,
    text: 'how often each frontend is polled',
  },
  state: {
    ...aText('<file>'),
    text: 'file that keeps the thresholds set over HTTP, so that they survive a restart; several processes may share it',
  },
  adminToken: {
    ...aText('<token>'),
    isSecret: true,
    text: 'token required for requests that change state; prefer the variable or a file',
  },
  adminTokenFile: { ...aText('<path>'), text: 'file that contains the admin token' },
  maxReaders: {
    ...aNumber('<n>', 0, 100_000),
    defaultValue: serviceDefaults.maxReaders,
    text: 'maximum number of concurrent event streams',
  },
  maxBufferedBytes: {
    ...aNumber('<n>', 1024, 2 ** 30),
    defaultValue: serviceDefaults.maxBufferedBytes,
    text: 'maximum number of bytes that wait for one event stream; a reader that stays behind is disconnected',
  },
  maxBodyBytes: {
    ...aNumber('<n>', 1024, 2 ** 30),
    defaultValue: serviceDefaults.maxBodyBytes,
    text: 'maximum size of a request body',
  },
  keptEvents: {
    ...aNumber('<n>', 0, 1_000_000),
    defaultValue: serviceDefaults.keptEvents,
    text: 'number of events that are kept for readers that reconnect',
  },
  drainSeconds: {
    ...aNumber('<n>', 0, 3600, { fraction: true }),
    defaultValue: 0,
    text: 'how long to answer requests, reported as not ready, before stopping',
  },
  logLevel: {
    ...aWord('<level>', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    defaultValue: 'info',
    text: 'trace, debug, info, warn, error, fatal or silent; logs are JSON Lines on standard error',
  },
});
