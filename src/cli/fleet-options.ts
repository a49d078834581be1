import { type Command, Option } from 'commander';
import type { EtcdOptions, EtcdTls } from '../adapters/etcd/etcd-options.js';
import type { NatsAuth, NatsOptions } from '../adapters/nats/nats-options.js';
import type { DynamoSourcesOptions } from '../dynamo/dynamo-sources.js';
import { numberOption } from './command-options.js';
import { readInput } from './read-input.js';
import { CliError } from './terminal.js';

/** Where a live fleet is, as it stands on a command line or in Dynamo's own environment variables. */
export interface LiveOptions {
  readonly nats: string;
  readonly etcd: string;
  readonly namespace?: string;
  /** Seconds. Absent: until a signal. */
  readonly duration?: number;
  readonly json?: boolean;
}

/** Adds what every command on a live fleet takes. A flag wins over the environment. */
export function withLiveOptions(command: Command, namespace: string, seconds?: number): Command {
  const duration = numberOption(0.1, 2_000_000, { fraction: true });
  return command
    .addOption(natsOption())
    .addOption(
      new Option('--etcd <urls>', 'etcd hosts, with commas between them')
        .env('ETCD_ENDPOINTS')
        .default('http://localhost:2379'),
    )
    .addOption(namespaceOption(namespace))
    .option('--duration <seconds>', 'end by itself after so long', duration, seconds);
}

/** Where NATS is. */
export function natsOption(): Option {
  return new Option('--nats <urls>', 'NATS servers, with commas between them')
    .env('NATS_SERVER')
    .default('nats://localhost:4222');
}

export function namespaceOption(text: string): Option {
  return new Option('--namespace <name>', text).env('DYN_NAMESPACE');
}

/** The other variables of Dynamo that count for NATS, for the help. */
export const natsCredentialsHelp = `
Who we are comes from Dynamo's variables, so that no password stands on a command line:
  NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD, NATS_AUTH_TOKEN, NATS_AUTH_NKEY or NATS_AUTH_CREDENTIALS_FILE;
  NATS_TLS_CA_CERT_PATH (a file); a user in the URL counts for that server.`;

/** The same of both servers. */
export const credentialsHelp = `${natsCredentialsHelp}
  ETCD_AUTH_USERNAME and ETCD_AUTH_PASSWORD; ETCD_AUTH_CA, ETCD_AUTH_CLIENT_CERT, ETCD_AUTH_CLIENT_KEY (PEM text).`;

type Environment = Readonly<Record<string, string | undefined>>;

/** How to reach both servers, with whom Dynamo's own variables say that we are. An empty variable is none. */
export interface ConnectionOptions {
  readonly nats: NatsOptions;
  readonly etcd: EtcdOptions;
}

/** @throws CliError for what goes together and is not, and for a file that cannot be read */
export function connectionOptionsFromEnv(
  { nats, etcd }: Pick<LiveOptions, 'nats' | 'etcd'>,
  environment: Environment,
): ConnectionOptions {
  return { nats: natsOptionsFromEnv(nats, environment), etcd: etcdOptionsFromEnv(etcd, environment) };
}

/** How to reach NATS alone. @throws CliError as {@link connectionOptionsFromEnv} does */
export function natsOptionsFromEnv(urls: string, environment: Environment): NatsOptions {
  const value = variablesOf(environment);
  const text = (name: string): string | undefined => {
    const path = value(name);
    return path === undefined ? undefined : new TextDecoder().decode(readInput(path));
  };
  const natsUser = pairOf(value, 'NATS_AUTH_USERNAME', 'NATS_AUTH_PASSWORD');
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
    servers: splitList(urls),
    ...(natsAuth !== undefined && { auth: natsAuth }),
    ...(ca !== undefined && { tls: { ca } }),
  };
}

function etcdOptionsFromEnv(urls: string, environment: Environment): EtcdOptions {
  const value = variablesOf(environment);
  const user = pairOf(value, 'ETCD_AUTH_USERNAME', 'ETCD_AUTH_PASSWORD');
  const tls = etcdTls(value);
  return {
    hosts: splitList(urls),
    ...(user !== undefined && { auth: { username: user[0], password: user[1] } }),
    ...(tls !== undefined && { tls }),
  };
}

type ReadVariable = (name: string) => string | undefined;

function variablesOf(environment: Environment): ReadVariable {
  return (name) => (environment[name] === '' ? undefined : environment[name]);
}

function pairOf(value: ReadVariable, one: string, two: string): readonly [string, string] | undefined {
  const [first, second] = [value(one), value(two)];
  if (first !== undefined && second !== undefined) return [first, second];
  if (first === undefined && second === undefined) return undefined;
  throw new CliError(`${one} and ${two} go together: set both or none.`);
}

function etcdTls(value: ReadVariable): EtcdTls | undefined {
  const [ca, cert, key] = ['ETCD_AUTH_CA', 'ETCD_AUTH_CLIENT_CERT', 'ETCD_AUTH_CLIENT_KEY'].map(value);
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

function splitList(urls: string): string[] {
  return urls
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
}

/** The options of the commands that watch a live fleet. */
export interface FleetOptions extends LiveOptions {
  readonly endpoint?: string;
  readonly prefillEndpoint?: string;
}

/** Which fleet, and which part of it, in the words of the library; and in a sentence. */
export function fleetFromOptions(options: FleetOptions): {
  readonly sources: Omit<DynamoSourcesOptions, 'form'>;
  readonly text: string;
} {
  const { nats, etcd } = connectionOptionsFromEnv(options, process.env);
  const { endpoint, prefillEndpoint } = options;
  // A variable that is set to nothing is none.
  const namespace = options.namespace === '' ? undefined : options.namespace;
  const parts = [
    namespace === undefined ? 'every namespace' : `namespace ${namespace}`,
    endpoint === undefined ? 'every endpoint' : `endpoint ${endpoint}`,
    ...(prefillEndpoint === undefined ? [] : [`prefill endpoint ${prefillEndpoint}`]),
  ];
  return {
    sources: {
      nats,
      etcd,
      ...(namespace !== undefined && { namespace }),
      ...(endpoint !== undefined && { endpoint }),
      ...(prefillEndpoint !== undefined && { prefillEndpoint }),
    },
    text: parts.join(', '),
  };
}
