import type { EtcdOptions, EtcdTls } from '../adapters/etcd/etcd-options.js';
import type { NatsAuth, NatsOptions } from '../adapters/nats/nats-options.js';
import { CliError } from './cli-error.js';
import type { LiveOptions } from './live-options.js';
import { readInput } from './read-input.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** How to reach both servers, with whom Dynamo's own variables say that we are. An empty variable is none. */
export interface LiveAccess {
  readonly nats: NatsOptions;
  readonly etcd: EtcdOptions;
}

/** @throws CliError for what goes together and is not, and for a file that cannot be read */
export function liveAccess(
  { nats, etcd }: Pick<LiveOptions, 'nats' | 'etcd'>,
  environment: Environment,
): LiveAccess {
  return { nats: natsAccess(nats, environment), etcd: etcdAccess(etcd, environment) };
}

/** How to reach NATS alone. @throws CliError as {@link liveAccess} does */
export function natsAccess(urls: string, environment: Environment): NatsOptions {
  const value = valueIn(environment);
  const text = (name: string): string | undefined => {
    const path = value(name);
    return path === undefined ? undefined : new TextDecoder().decode(readInput(path));
  };
  const natsUser = pairIn(value, 'NATS_AUTH_USERNAME', 'NATS_AUTH_PASSWORD');
  const token = value('NATS_AUTH_TOKEN');
  const nkeySeed = value('NATS_AUTH_NKEY');
  // In the order in which Dynamo looks for them.
  const auth = (): NatsAuth | undefined => {
    if (natsUser !== undefined) return { user: natsUser[0], password: natsUser[1] };
    if (token !== undefined) return { token };
    if (nkeySeed !== undefined) return { nkeySeed };
    const credentials = text('NATS_AUTH_CREDENTIALS_FILE');
    return credentials === undefined ? undefined : { credentials };
  };
  const natsAuth = auth();
  const ca = text('NATS_TLS_CA_CERT_PATH');
  return {
    servers: listed(urls),
    ...(natsAuth !== undefined && { auth: natsAuth }),
    ...(ca !== undefined && { tls: { ca } }),
  };
}

function etcdAccess(urls: string, environment: Environment): EtcdOptions {
  const value = valueIn(environment);
  const user = pairIn(value, 'ETCD_AUTH_USERNAME', 'ETCD_AUTH_PASSWORD');
  const tls = etcdTls(value);
  return {
    hosts: listed(urls),
    ...(user !== undefined && { auth: { username: user[0], password: user[1] } }),
    ...(tls !== undefined && { tls }),
  };
}

type Value = (name: string) => string | undefined;

function valueIn(environment: Environment): Value {
  return (name) => (environment[name] === '' ? undefined : environment[name]);
}

function pairIn(value: Value, one: string, two: string): readonly [string, string] | undefined {
  const [first, second] = [value(one), value(two)];
  if (first !== undefined && second !== undefined) return [first, second];
  if (first === undefined && second === undefined) return undefined;
  throw new CliError(`${one} and ${two} go together: set both or none.`);
}

function etcdTls(value: Value): EtcdTls | undefined {
  const [ca, cert, key] = ['ETCD_AUTH_CA', 'ETCD_AUTH_CLIENT_CERT', 'ETCD_AUTH_CLIENT_KEY'].map(value);
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

function listed(urls: string): string[] {
  return urls
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
}
