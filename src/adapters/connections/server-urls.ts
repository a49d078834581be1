/** Which URLs a system accepts. */
export interface UrlRules {
  /** The option that names the servers, and one of them in words: `servers`, `server`. */
  readonly option: string;
  readonly noun: string;
  /** The schemes without and with TLS. The first one is the default. */
  readonly schemes: readonly [plain: string, secure: string];
  readonly defaultPort: number;
  /** Whether a URL may contain a user and a password. */
  readonly acceptsUser: boolean;
}

/** One server. */
export interface ServerUrl {
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** Whether the URL asks for TLS. */
  readonly secure: boolean;
  /** The URL as shown in messages. It contains no user and no password. */
  readonly url: string;
}

/** A server with the user of its URL. Empty texts mean that there is none. */
interface ParsedUrl extends ServerUrl {
  readonly user: string;
  readonly password: string;
}

/** Parses a comma-separated text or a list of URLs, and reports every URL that cannot be meant. */
export function parseServerUrls(
  given: string | readonly string[],
  rules: UrlRules,
): { readonly servers: readonly ParsedUrl[]; readonly problems: readonly string[] } {
  const texts = typeof given === 'string' ? given.split(',') : given;
  const servers: ParsedUrl[] = [];
  const problems: string[] = [];
  for (const text of texts) {
    const parsed = parseServerUrl(text.trim(), rules);
    if (typeof parsed === 'string') problems.push(parsed);
    else servers.push(parsed);
  }
  if (texts.length === 0)
    problems.push(`${rules.option} must name at least one server, such as ${exampleUrl(rules)}`);
  return { servers, problems };
}

/** A URL for messages. */
export function exampleUrl({ schemes: [plain], defaultPort }: UrlRules): string {
  return `${plain}://127.0.0.1:${defaultPort}`;
}

/** What is wrong with certificates. */
export function certificateProblems(
  tls: { readonly cert?: unknown; readonly key?: unknown } | undefined,
): readonly string[] {
  return (tls?.cert === undefined) === (tls?.key === undefined)
    ? []
    : ['tls.cert and tls.key need each other: give both or neither'];
}

/** Parses one URL, or returns what is wrong with it. */
function parseServerUrl(text: string, rules: UrlRules): ParsedUrl | string {
  const { noun, schemes, defaultPort, acceptsUser } = rules;
  const [plain, secure] = schemes;
  const shown = JSON.stringify(text.replace(/[^/]*@/, '…@'));
  const write = `write ${plain}://HOST:PORT or ${secure}://HOST:PORT`;
  const given = text.includes('://') ? text : `${plain}://${text}`;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !schemes.includes(url.protocol.slice(0, -1)) || url.hostname === '')
    return `${shown} is not a valid ${noun}: ${write}`;
  if (!acceptsUser && (url.username !== '' || url.password !== ''))
    return `${shown} contains a user: set auth instead, so that it is not logged`;
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '')
    return `${shown} contains more than a host and a port: ${write}`;
  // URL drops the default port of the scheme http or https, which is not that of the system.
  const port = Number(url.port || /:(\d+)\/?$/.exec(given)?.[1] || defaultPort);
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure: url.protocol === `${secure}:`,
    url: `${url.protocol}//${url.hostname}:${port}`,
    user: unescapeUserInfo(url.username),
    password: unescapeUserInfo(url.password),
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
