import type { NatsAuth, NatsOptions } from './nats-options.js';
import { NatsOptionsError } from './nats-options-error.js';

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
export function natsServers({ servers, auth, tls }: NatsOptions): readonly NatsServer[] {
  const problems: string[] = [];
  const texts = typeof servers === 'string' ? servers.split(',') : servers;
  const parsed = texts.flatMap((text) => {
    const server = serverOf(text.trim(), auth ?? null, tls !== undefined);
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

function serverOf(text: string, auth: NatsAuth | null, encrypted: boolean): NatsServer | string {
  const given = text.includes('://') ? text : `nats://${text}`;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !SCHEMES.includes(url.protocol) || url.hostname === '')
    return `${JSON.stringify(withoutUser(text))} is no server: write nats://HOST:PORT or tls://HOST:PORT`;
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  const user = unescaped(url.username);
  const password = unescaped(url.password);
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure: encrypted || url.protocol === 'tls:',
    auth: user === '' ? auth : password === '' ? { token: user } : { user, password },
    url: `${url.protocol}//${url.hostname}:${port}`,
  };
}

/** As it was meant; what is no escape is taken as it stands. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutUser(text: string): string {
  return text.replace(/[^/]*@/, '…@');
}
