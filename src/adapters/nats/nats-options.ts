import type { SchedulerLike } from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import type { NatsLink } from './nats-link.js';

/** Options that cannot be followed. `problems` lists everything that is wrong with them. */
export class NatsOptionsError extends TidemarkError {
  override readonly name = 'NatsOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('nats-options', `${problems.join('; ')}.`);
  }
}

/** Certificates as PEM text. Without any, the system's own authorities are asked. */
export interface NatsTls {
  /** The authority that signed the servers' certificates. */
  readonly ca?: string;
  /** The client's certificate and key, where the servers demand one: both or none. */
  readonly cert?: string;
  readonly key?: string;
}

/** Who we are: one of these. */
export type NatsAuth =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The seed of an NKey, `SU…`. */
  | { readonly nkeySeed: string }
  /** The contents of a credentials file: a JWT and the seed that signs for it. */
  | { readonly credentials: string };

/** Where NATS is, and who we are. */
export interface NatsOptions {
  /**
   * URLs such as `nats://10.0.0.1:4222`; without a scheme `nats`, without a port 4222. Tried in turn. A user and a
   * password, or a token, may stand in one, and then count for it.
   */
  readonly servers: string | readonly string[];
  readonly auth?: NatsAuth;
  /** Given, the connection is encrypted; a `tls://` URL and a server that demands it do the same. */
  readonly tls?: NatsTls;
  /** How the server calls the connection; `tidemark` when absent. */
  readonly name?: string;
  /** Where time comes from; {@link monotonicScheduler} when absent. */
  readonly scheduler?: SchedulerLike;
}

/** One server to talk to. */
export interface NatsServer {
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  readonly auth: NatsAuth | null;
  /** As the messages call it; it holds no password. */
  readonly url: string;
}

const DEFAULT_PORT = 4222;
const SCHEMES = ['nats:', 'tls:'];

/**
 * The servers of the options.
 *
 * @throws NatsOptionsError with everything that is wrong.
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
    problems.push('tls.cert and tls.key go together');
  if (problems.length > 0) throw new NatsOptionsError(problems);
  return parsed;
}

function parseServer(text: string, auth: NatsAuth | null, encrypted: boolean): NatsServer | string {
  const given = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !SCHEMES.includes(url.protocol) || url.hostname === '')
    return `${JSON.stringify(withoutUser(text))} is no server: write nats://HOST:PORT or tls://HOST:PORT`;
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

/** As it was meant; what is no escape is taken as it stands. */
function unescapeUserInfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutUser(text: string): string {
  return text.replace(/[^/]*@/, '…@');
}

/** How to reach NATS: over a connection of our own, or over one that the caller already has, and keeps. */
export type NatsConnectionOptions =
  | (NatsOptions & { readonly connection?: undefined })
  | (Pick<NatsOptions, 'scheduler'> & { readonly connection: NatsLink; readonly servers?: undefined });

/** A text is the servers; a bare connection is one that the caller keeps. */
export function toNatsConnectionOptions(
  given: string | NatsLink | NatsConnectionOptions,
): NatsConnectionOptions {
  if (typeof given === 'string') return { servers: given };
  return 'subscribe' in given ? { connection: given } : given;
}

/** Whether a text can be one word of a subject. */
export function isSubjectToken(text: string): boolean {
  return text !== '' && !/[\s.*>]/.test(text);
}
