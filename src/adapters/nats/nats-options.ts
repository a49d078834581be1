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
  shownValue,
  textOrList,
} from '../../core/option-problems.js';
import { hideUserInfo } from '../../core/sources/server-url.js';
import type { NatsLink } from './nats-link.js';

/** Invalid options. `problems` lists everything that is wrong with them. */
export class NatsOptionsError extends TidemarkError {
  override readonly name = 'NatsOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('nats-options', `${problems.join('; ')}.`);
  }
}

/** Certificates as PEM text. The default certificate authorities are those of the system. */
export interface NatsTls {
  /** The certificate authority of the servers. */
  readonly ca?: string;
  /** The client certificate, if the servers require one. Needs `key`. */
  readonly cert?: string;
  /** The key of the client certificate. */
  readonly key?: string;
  /** Whether the connection begins with the TLS handshake, for servers with `handshake_first`. */
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
export interface NatsServer {
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  readonly auth: NatsAuth | null;
  /** The URL as shown in messages. It contains no password. */
  readonly url: string;
}

const DEFAULT_PORT = 4222;
const SCHEMES = ['nats:', 'tls:'];

/**
 * Parses the servers of the options.
 *
 * @throws NatsOptionsError with all problems.
 */
export function parseNatsServers({ servers, auth, tls }: NatsOptions): readonly NatsServer[] {
  const problems: string[] = [];
  const texts = typeof servers === 'string' ? servers.split(',') : servers;
  const parsed = texts.flatMap((text) => {
    const server = parseServer(text.trim(), auth ?? null, tls !== undefined);
    if (typeof server !== 'string') return [server];
    problems.push(server);
    return [];
  });
  if (texts.length === 0)
    problems.push('servers must name at least one server, such as nats://127.0.0.1:4222');
  if ((tls?.cert === undefined) !== (tls?.key === undefined))
    problems.push('tls.cert and tls.key need each other: give both or neither');
  if (problems.length > 0) throw new NatsOptionsError(problems);
  return parsed;
}

function parseServer(text: string, auth: NatsAuth | null, encrypted: boolean): NatsServer | string {
  const given = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !SCHEMES.includes(url.protocol) || url.hostname === '')
    return `${JSON.stringify(hideUserInfo(text))} is not a valid server: write nats://HOST:PORT or tls://HOST:PORT`;
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  const user = unescapeUserInfo(url.username);
  const password = unescapeUserInfo(url.password);
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure: encrypted || url.protocol === 'tls:',
    auth: user === '' ? auth : password === '' ? { token: user } : { user, password },
    url: `${url.protocol}//${url.hostname}:${port}`,
  };
}

/** Unescapes a user or password. An invalid escape is kept as written. */
function unescapeUserInfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** How to reach NATS: over a new connection, or over one of the caller, which stays open. */
export type NatsConnectionOptions =
  | (NatsOptions & { readonly connection?: undefined })
  | (Pick<NatsOptions, 'scheduler'> & { readonly connection: NatsLink; readonly servers?: undefined });

const authForms = ['password,user', 'token', 'nkeySeed', 'credentials'];
const connectionRules: Readonly<Record<string, OptionRule>> = {
  servers: textOrList('a URL such as nats://127.0.0.1:4222, or a list of URLs'),
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
    'an object with ca, cert and key, as PEM text',
    (name, value) => ['ca', 'cert', 'key'].includes(name) && typeof value === 'string',
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
    problems.push(`${of} needs servers, such as nats://127.0.0.1:4222, or a connection`);
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
      `nats must be a URL such as nats://127.0.0.1:4222, options, or a connection, not ${shownValue(given)}`,
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
