import type { SchedulerLike } from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import {
  type OptionRule,
  aScheduler,
  aString,
  anObject,
  isRecord,
  optionProblems,
  recordOf,
  required,
  shownValue,
  textOrList,
} from '../../core/option-problems.js';
import { hideUserInfo } from '../../core/sources/server-url.js';
import type { ReconnectOptions } from '../../operators/reconnect.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';

/** Invalid options. `problems` lists everything that is wrong with them. */
export class EtcdOptionsError extends TidemarkError {
  override readonly name = 'EtcdOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('etcd-options', `${problems.join('; ')}.`);
  }
}

/** Certificates as PEM text or bytes. The default certificate authorities are those of the system. */
export interface EtcdTls {
  /** The certificate authority of the servers. */
  readonly ca?: string | Uint8Array;
  /** The client certificate, if the servers require one. Needs `key`. */
  readonly cert?: string | Uint8Array;
  /** The key of the client certificate. */
  readonly key?: string | Uint8Array;
  /** The expected name in the certificate of the servers. Defaults to the host of the URL. */
  readonly serverName?: string;
}

/** The etcd to connect to, and how. */
export interface EtcdOptions {
  /**
   * URLs such as `http://10.0.0.1:2379`, tried in turn; a string may contain several, separated by commas. The default
   * scheme is `http`, the default port 2379.
   */
  readonly hosts: string | readonly string[];
  /** The user to log in as. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** For `https` hosts. */
  readonly tls?: EtcdTls;
  /** A prefix of all keys of the fleet, for a store that is shared with others. */
  readonly keyPrefix?: string;
  /** The source of time. Defaults to {@link monotonicScheduler}. */
  readonly scheduler?: SchedulerLike;
}

/** One server. */
export interface EtcdHost {
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** The URL as shown in messages. It contains no password. */
  readonly url: string;
}

const DEFAULT_PORT = 2379;

const optionRules: Readonly<Record<string, OptionRule>> = {
  hosts: required(textOrList('a URL such as http://127.0.0.1:2379, or a list of URLs')),
  auth: {
    what: '{ username, password }, as strings',
    is: (value) =>
      isRecord(value) && [value['username'], value['password']].every((text) => typeof text === 'string'),
  },
  tls: recordOf(
    'an object with ca, cert, key and serverName, as text or bytes',
    (name, value) =>
      ['ca', 'cert', 'key', 'serverName'].includes(name) &&
      (typeof value === 'string' || value instanceof Uint8Array),
  ),
  keyPrefix: aString,
  scheduler: aScheduler,
};

/**
 * Validates options that contain those of a connection.
 *
 * @param of the function that takes them
 * @param rules its other options
 * @throws EtcdOptionsError with all problems
 */
export function requireEtcdOptions(
  of: string,
  given: EtcdOptions,
  rules: Readonly<Record<string, OptionRule>> = {},
): void {
  const problems = optionProblems(of, given, { ...optionRules, ...rules });
  if (problems.length > 0) throw new EtcdOptionsError(problems);
}

/**
 * Converts a string, which names the hosts.
 *
 * @throws EtcdOptionsError for anything else that is not valid
 */
export function toEtcdOptions(given: string | EtcdOptions): EtcdOptions {
  if (typeof given !== 'string' && !anObject.is(given))
    throw new EtcdOptionsError([
      `etcd must be a URL such as http://127.0.0.1:2379, or options, not ${shownValue(given)}`,
    ]);
  const options = typeof given === 'string' ? { hosts: given } : given;
  requireEtcdOptions('etcd', options);
  return options;
}

/**
 * Parses the hosts of the options.
 *
 * @throws EtcdOptionsError with all problems.
 */
export function parseEtcdHosts({ hosts, auth, tls }: EtcdOptions): readonly EtcdHost[] {
  const problems: string[] = [];
  const texts = typeof hosts === 'string' ? hosts.split(',').map((text) => text.trim()) : hosts;
  const parsed = texts.flatMap((text) => {
    const host = parseHost(text);
    if (typeof host !== 'string') return [host];
    problems.push(host);
    return [];
  });
  if (texts.length === 0) problems.push('hosts must name at least one server, such as http://127.0.0.1:2379');
  if (tls !== undefined && parsed.some(({ secure }) => !secure))
    problems.push('tls needs hosts that begin with https://');
  if ((tls?.cert === undefined) !== (tls?.key === undefined))
    problems.push('tls.cert and tls.key need each other: give both or neither');
  if (auth !== undefined && (auth.username === '' || auth.password === ''))
    problems.push('auth needs a username and a password');
  if (problems.length > 0) throw new EtcdOptionsError(problems);
  return parsed;
}

function parseHost(text: string): EtcdHost | string {
  const given = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    return `${JSON.stringify(hideUserInfo(text))} is not a valid host: write http://HOST:PORT or https://HOST:PORT`;
  if (url.username !== '' || url.password !== '')
    return `${JSON.stringify(hideUserInfo(text))} contains a user: set auth instead, so that it is not logged`;
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '')
    return `${JSON.stringify(text)} contains more than a host and a port: write http://HOST:PORT or https://HOST:PORT`;
  const secure = url.protocol === 'https:';
  // URL drops the default port of its scheme, which is not the default port of etcd.
  const port =
    url.port !== '' ? Number(url.port) : /:(80|443)\/?$/.test(given) ? (secure ? 443 : 80) : DEFAULT_PORT;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return { hostname, port, secure, url: `${url.protocol}//${url.hostname}:${port}` };
}

const MAX_RETRY_MS = 2_000;

/**
 * How connections to etcd are retried.
 *
 * @throws EtcdOptionsError with all problems.
 */
export function etcdReconnectOptions(options: EtcdOptions): ReconnectOptions<EtcdHost> {
  return {
    hosts: parseEtcdHosts(options),
    maxRetryMs: MAX_RETRY_MS,
    scheduler: options.scheduler ?? monotonicScheduler,
    random: Math.random,
  };
}
