import type { IOptions } from 'etcd3';
import type { SchedulerLike } from 'rxjs';
import { OptionsError } from '../../core/errors.js';
import {
  type OptionRule,
  aScheduler,
  aString,
  anObject,
  givenOptions,
  isRecord,
  optionProblems,
  recordOf,
  required,
  shownValue,
  textOrList,
} from '../../core/option-problems.js';
import type { ReconnectOptions } from '../../operators/reconnect.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import {
  type ServerUrl,
  type UrlRules,
  certificateProblems,
  exampleUrl,
  parseServerUrls,
} from '../connections/server-urls.js';

/** Invalid options. `problems` lists everything that is wrong with them. */
export class EtcdOptionsError extends OptionsError {
  override readonly name = 'EtcdOptionsError';

  constructor(problems: readonly string[]) {
    super('etcd-options', problems);
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
export type EtcdHost = ServerUrl;

const urlRules: UrlRules = {
  option: 'hosts',
  noun: 'host',
  schemes: ['http', 'https'],
  defaultPort: 2379,
  acceptsUser: false,
};

const optionRules: Readonly<Record<string, OptionRule>> = {
  hosts: required(textOrList(`a URL such as ${exampleUrl(urlRules)}, or a list of URLs`)),
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
 * A client of the package `etcd3`. Only its hosts and its credentials are used, for connections that tidemark opens and
 * closes; the client itself is neither used nor closed.
 */
export interface EtcdClientLike {
  readonly kv: object;
  readonly watchClient: object;
  close(): void;
}

/**
 * Converts a string, which names the hosts, or a client of the caller.
 *
 * @throws EtcdOptionsError for anything else that is not valid
 */
export function toEtcdOptions(given: string | EtcdOptions | EtcdClientLike): EtcdOptions {
  if (typeof given !== 'string' && !anObject.is(given))
    throw new EtcdOptionsError([
      `etcd must be a URL such as ${exampleUrl(urlRules)}, options, or a client of etcd3, not ${shownValue(given)}`,
    ]);
  const options =
    typeof given === 'string' ? { hosts: given } : 'watchClient' in given ? optionsOfClient(given) : given;
  requireEtcdOptions('etcd', options);
  parseEtcdHosts(options);
  return options;
}

/** The options that a client was created with. The package keeps them in private members, in all its releases. */
function optionsOfClient(client: EtcdClientLike): EtcdOptions {
  const { pool } = client as { readonly pool?: { readonly options?: IOptions } };
  if (pool?.options === undefined)
    throw new EtcdOptionsError([
      'etcd is a client without readable options: give hosts, auth and tls instead',
    ]);
  const { hosts, auth, credentials, grpcOptions } = pool.options;
  const serverName = grpcOptions?.['grpc.ssl_target_name_override'];
  return {
    hosts,
    ...(auth !== undefined && { auth: { username: auth.username, password: auth.password } }),
    ...(credentials !== undefined && {
      tls: givenOptions({
        // The package passes null on to gRPC, which means the authorities of the system.
        ca: (credentials.rootCertificate as Buffer | null) ?? undefined,
        cert: credentials.certChain,
        key: credentials.privateKey,
        serverName: typeof serverName === 'string' ? serverName : undefined,
      }) as EtcdTls,
    }),
  };
}

/**
 * Parses the hosts of the options.
 *
 * @throws EtcdOptionsError with all problems.
 */
export function parseEtcdHosts({ hosts, auth, tls }: EtcdOptions): readonly EtcdHost[] {
  const { servers, problems: wrongUrls } = parseServerUrls(hosts, urlRules);
  const problems = [...wrongUrls];
  if (tls !== undefined && servers.some(({ secure }) => !secure))
    problems.push('tls needs hosts that begin with https://');
  problems.push(...certificateProblems(tls));
  if (auth !== undefined && (auth.username === '' || auth.password === ''))
    problems.push('auth needs a username and a password');
  if (problems.length > 0) throw new EtcdOptionsError(problems);
  return servers;
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
