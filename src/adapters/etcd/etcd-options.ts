import type { SchedulerLike } from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import type { ReconnectOptions } from '../../operators/reconnect.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';

/** Options that cannot be followed. `problems` lists everything that is wrong with them. */
export class EtcdOptionsError extends TidemarkError {
  override readonly name = 'EtcdOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('etcd-options', `${problems.join('; ')}.`);
  }
}

/** Certificates as PEM text or bytes. Without any, the system's own authorities are asked. */
export interface EtcdTls {
  /** The authority that signed the servers' certificates. */
  readonly ca?: string | Uint8Array;
  /** The client's certificate and key, where the servers demand one: both or none. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name to find in the servers' certificate, where it is not the host of the URL. */
  readonly serverName?: string;
}

/** Where etcd is, and who we are. */
export interface EtcdOptions {
  /** URLs such as `http://10.0.0.1:2379`; without a scheme `http`, without a port 2379. Tried in turn. */
  readonly hosts: string | readonly string[];
  readonly auth?: { readonly username: string; readonly password: string };
  /** For `https` hosts. */
  readonly tls?: EtcdTls;
  /** Stands before every key, where a fleet lives in a part of a store that others share. */
  readonly keyPrefix?: string;
  /** Where time comes from; {@link monotonicScheduler} when absent. */
  readonly scheduler?: SchedulerLike;
}

/** One server to talk to. */
export interface EtcdHost {
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** As the messages call it; it holds no password. */
  readonly url: string;
}

const DEFAULT_PORT = 2379;

/**
 * The hosts of the options.
 *
 * @throws EtcdOptionsError with everything that is wrong.
 */
export function parseEtcdHosts({ hosts, auth, tls }: EtcdOptions): readonly EtcdHost[] {
  const problems: string[] = [];
  const texts = typeof hosts === 'string' ? [hosts] : hosts;
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
    problems.push('tls.cert and tls.key go together');
  if (auth !== undefined && (auth.username === '' || auth.password === ''))
    problems.push('auth needs a username and a password');
  if (problems.length > 0) throw new EtcdOptionsError(problems);
  return parsed;
}

function parseHost(text: string): EtcdHost | string {
  const given = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    return `${JSON.stringify(withoutUser(text))} is no host: write http://HOST:PORT or https://HOST:PORT`;
  if (url.username !== '' || url.password !== '')
    return `${JSON.stringify(withoutUser(text))} holds a user: give it as auth, so that it stays out of the logs`;
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '')
    return `${JSON.stringify(text)} holds more than a host and a port`;
  const secure = url.protocol === 'https:';
  // A URL leaves out the port that belongs to its scheme; etcd's own is another.
  const port =
    url.port !== '' ? Number(url.port) : /:(80|443)\/?$/.test(given) ? (secure ? 443 : 80) : DEFAULT_PORT;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return { hostname, port, secure, url: `${url.protocol}//${url.hostname}:${port}` };
}

function withoutUser(text: string): string {
  return text.replace(/[^/]*@/, '…@');
}

const MAX_RETRY_MS = 2_000;

/**
 * How every connection to etcd is tried again.
 *
 * @throws EtcdOptionsError with everything that is wrong.
 */
export function etcdReconnectOptions(options: EtcdOptions): ReconnectOptions<EtcdHost> {
  return {
    hosts: parseEtcdHosts(options),
    maxRetryMs: MAX_RETRY_MS,
    scheduler: options.scheduler ?? monotonicScheduler,
    random: Math.random,
  };
}
