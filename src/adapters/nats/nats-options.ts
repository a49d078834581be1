import type { SchedulerLike } from 'rxjs';
import { OptionsError } from '../../core/errors.js';
import {
  type OptionRule,
  aScheduler,
  aString,
  anObject,
  isRecord,
  optionProblems,
  recordOf,
  shownValue,
  textOrList,
} from '../../core/option-problems.js';
import {
  type ServerUrl,
  type UrlRules,
  certificateProblems,
  exampleUrl,
  parseServerUrls,
} from '../connections/server-urls.js';
import type { NatsLink } from './nats-link.js';

/** Invalid options. `problems` lists everything that is wrong with them. */
export class NatsOptionsError extends OptionsError {
  override readonly name = 'NatsOptionsError';

  constructor(problems: readonly string[]) {
    super('nats-options', problems);
  }
}

/** How to use TLS, with certificates as PEM text. The default certificate authorities are those of the system. */
export interface NatsTls {
  /** The certificate authority of the servers. */
  readonly ca?: string;
  /** The client certificate, if the servers require one. Needs `key`. */
  readonly cert?: string;
  /** The key of the client certificate. */
  readonly key?: string;
  /**
   * Whether the TLS handshake comes before everything else, as with `handshake_first` of nats-server 2.10.4 and later. By
   * default, this is found out: a server that sends nothing for 300 ms is offered a handshake on a second connection. Needs
   * `nats` 2.22 or later, or `@nats-io/transport-node`.
   */
  readonly handshakeFirst?: boolean;
}

/** The credentials to log in with: one of these. */
export type NatsAuth =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The seed of an NKey, `SU…`. */
  | { readonly nkeySeed: string }
  /** The contents of a credentials file: a JWT and the seed that signs for it. */
  | { readonly credentials: string };

/** The NATS to connect to, and how. */
export interface NatsOptions {
  /**
   * URLs such as `nats://10.0.0.1:4222`, tried in turn; a string may contain several, separated by commas. The default
   * scheme is `nats`, the default port 4222. A URL may contain a user and a password, or a token, for that server.
   */
  readonly servers: string | readonly string[];
  /** The credentials for servers whose URL contains none. */
  readonly auth?: NatsAuth;
  /** Requires TLS, like a URL that begins with `tls://`. A server can require it, too. */
  readonly tls?: NatsTls;
  /** The name of the connection on the server. Defaults to `tidemark`. */
  readonly name?: string;
  /** The source of time. Defaults to {@link monotonicScheduler}. */
  readonly scheduler?: SchedulerLike;
}

/** One server. */
export interface NatsServer extends ServerUrl {
  readonly auth: NatsAuth | null;
}

const urlRules: UrlRules = {
  option: 'servers',
  noun: 'server',
  schemes: ['nats', 'tls'],
  defaultPort: 4222,
  acceptsUser: true,
};

/**
 * Parses the servers of the options.
 *
 * @throws NatsOptionsError with all problems.
 */
export function parseNatsServers({ servers: given, auth, tls }: NatsOptions): readonly NatsServer[] {
  const parsed = parseServerUrls(given, urlRules);
  const problems = [...parsed.problems, ...certificateProblems(tls)];
  if (problems.length > 0) throw new NatsOptionsError(problems);
  return parsed.servers.map(({ hostname, port, secure, url, user, password }) => ({
    hostname,
    port,
    secure: secure || tls !== undefined,
    url,
    auth: user === '' ? (auth ?? null) : password === '' ? { token: user } : { user, password },
  }));
}

/** How to reach NATS: over a new connection, or over one of the caller, which stays open. */
export type NatsConnectionOptions =
  | (NatsOptions & { readonly connection?: undefined })
  | (Pick<NatsOptions, 'scheduler'> & { readonly connection: NatsLink; readonly servers?: undefined });

const authForms = ['password,user', 'token', 'nkeySeed', 'credentials'];
const connectionRules: Readonly<Record<string, OptionRule>> = {
  servers: textOrList(`a URL such as ${exampleUrl(urlRules)}, or a list of URLs`),
  // Its methods are not looked at: a caller may pass a proxy whose connection is not open yet.
  connection: { what: 'a connection of a NATS client', is: isRecord },
  auth: {
    what: '{ user, password }, { token }, { nkeySeed } or { credentials }, as strings',
    is: (value) =>
      isRecord(value) &&
      authForms.includes(Object.keys(value).sort().join()) &&
      Object.values(value).every((text) => typeof text === 'string'),
  },
  tls: recordOf(
    'an object with ca, cert and key, as PEM text, and handshakeFirst, as a boolean',
    (name, value) =>
      name === 'handshakeFirst'
        ? typeof value === 'boolean'
        : ['ca', 'cert', 'key'].includes(name) && typeof value === 'string',
  ),
  name: aString,
  scheduler: aScheduler,
};

/**
 * Validates options that contain those of a connection.
 *
 * @param of the function that takes them
 * @param rules its other options
 * @throws NatsOptionsError with all problems
 */
export function requireNatsOptions(
  of: string,
  given: NatsConnectionOptions,
  rules: Readonly<Record<string, OptionRule>> = {},
): void {
  const problems = optionProblems(of, given, { ...connectionRules, ...rules });
  if (problems.length === 0 && given.connection === undefined && (given.servers as unknown) === undefined)
    problems.push(`${of} needs servers, such as ${exampleUrl(urlRules)}, or a connection`);
  if (problems.length > 0) throw new NatsOptionsError(problems);
  if (given.connection === undefined) parseNatsServers(given);
}

/**
 * Converts a string, which names the servers, or a connection of the caller.
 *
 * @throws NatsOptionsError for anything else that is not valid
 */
export function toNatsConnectionOptions(
  given: string | NatsLink | NatsConnectionOptions,
): NatsConnectionOptions {
  if (typeof given !== 'string' && !anObject.is(given))
    throw new NatsOptionsError([
      `nats must be a URL such as ${exampleUrl(urlRules)}, options, or a connection, not ${shownValue(given)}`,
    ]);
  const options =
    typeof given === 'string' ? { servers: given } : 'subscribe' in given ? { connection: given } : given;
  requireNatsOptions('nats', options);
  return options;
}

/** Whether a value is a valid token of a subject. */
export function isSubjectToken(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && !/[\s.*>]/.test(text);
}
