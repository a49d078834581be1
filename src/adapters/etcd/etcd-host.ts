import type { EtcdOptions } from './etcd-options.js';
import { EtcdOptionsError } from './etcd-options-error.js';

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
export function etcdHosts({ hosts, auth, tls }: EtcdOptions): readonly EtcdHost[] {
  const problems: string[] = [];
  const texts = typeof hosts === 'string' ? [hosts] : hosts;
  const parsed = texts.flatMap((text) => {
    const host = hostOf(text);
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

function hostOf(text: string): EtcdHost | string {
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
