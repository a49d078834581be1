import { type Command, Option } from 'commander';
import type { EtcdOptions, EtcdTls } from '../adapters/etcd/etcd-options.js';
import type { NatsAuth, NatsOptions } from '../adapters/nats/nats-options.js';
import type { DynamoFleetOptions } from '../fleet/dynamo-fleet.js';
import { numberOption } from './command-options.js';
import { readInput } from './read-input.js';
import { CliError } from './terminal.js';

/** Where a live fleet is, from the command line or from Dynamo's own environment variables. */
export interface LiveOptions {
  readonly nats: string;
  readonly etcd: string;
  readonly namespace?: string;
  /** In seconds. Absent: until a signal. */
  readonly duration?: number;
  readonly json?: boolean;
}

/** Adds the options of every command on a live fleet. A flag takes precedence over the environment. */
export function withLiveOptions(
  command: Command,
  namespace: string | { readonly text: string; readonly env: string; readonly value: string },
  seconds?: number,
): Command {
  const duration = numberOption(0.1, 2_000_000, { fraction: true });
  return command
    .addOption(natsOption())
    .addOption(
      new Option('--etcd <urls>', 'etcd hosts, comma-separated')
        .env('ETCD_ENDPOINTS')
        .default('http://localhost:2379'),
    )
    .addOption(
      typeof namespace === 'string'
        ? namespaceOption(namespace)
        : new Option('--namespace <name>', namespace.text).env(namespace.env).default(namespace.value),
    )
    .option(
      '--duration <seconds>',
      `stop after this time${seconds === undefined ? ' (default: run until Ctrl-C)' : ''}`,
      duration,
      seconds,
    );
}

/** The option `--nats`. */
export function natsOption(): Option {
  return new Option('--nats <urls>', 'NATS servers, comma-separated')
    .env('NATS_SERVER')
    .default('nats://localhost:4222');
}

/** The option `--namespace`. */
export function namespaceOption(text: string): Option {
  return new Option('--namespace <name>', text).env('DYN_NAMESPACE');
}

/** Help text: Dynamo's other environment variables for NATS. */
export const natsCredentialsHelp = `
Credentials come from Dynamo's environment variables, so that no password appears on a command line:
  NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD, NATS_AUTH_TOKEN, NATS_AUTH_NKEY or NATS_AUTH_CREDENTIALS_FILE;
  NATS_TLS_CA_CERT_PATH (a file). A user in a URL applies to that server only.`;

/** Help text: the same for NATS and etcd. */
export const credentialsHelp = `${natsCredentialsHelp}
  ETCD_AUTH_USERNAME and ETCD_AUTH_PASSWORD; ETCD_AUTH_CA, ETCD_AUTH_CLIENT_CERT, ETCD_AUTH_CLIENT_KEY (PEM text).`;

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How to connect to NATS and etcd. */
export interface ConnectionOptions {
  readonly nats: NatsOptions;
  readonly etcd: EtcdOptions;
}

/**
 * How to connect to NATS and etcd, with the credentials of Dynamo's own environment variables. An empty variable counts
 * as absent.
 *
 * @throws CliError if only one variable of a pair is set, or if a file cannot be read
 */
export function connectionOptionsFromEnv(
  { nats, etcd }: Pick<LiveOptions, 'nats' | 'etcd'>,
  environment: Environment,
): ConnectionOptions {
  return { nats: natsOptionsFromEnv(nats, environment), etcd: etcdOptionsFromEnv(etcd, environment) };
}

/** How to connect to NATS. @throws CliError as {@link connectionOptionsFromEnv} does */
export function natsOptionsFromEnv(urls: string, environment: Environment): NatsOptions {
  const value = variablesOf(environment);
  const text = (name: string): string | undefined => {
    const path = value(name);
    return path === undefined ? undefined : new TextDecoder().decode(readInput(path));
  };
  const natsUser = pairOf(value, 'NATS_AUTH_USERNAME', 'NATS_AUTH_PASSWORD');
  const token = value('NATS_AUTH_TOKEN');
  const nkeySeed = value('NATS_AUTH_NKEY');
  // Dynamo looks for them in this order.
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

function pairOf(value: ReadVariable, name1: string, name2: string): readonly [string, string] | undefined {
  const [first, second] = [value(name1), value(name2)];
  if (first !== undefined && second !== undefined) return [first, second];
  if (first === undefined && second === undefined) return undefined;
  throw new CliError(`${name1} and ${name2} must be set together: set both or neither.`);
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

/** The namespace, `undefined` for every one. An empty environment variable counts as absent. */
export function namespaceFromOptions({ namespace }: Pick<LiveOptions, 'namespace'>): string | undefined {
  return namespace === '' ? undefined : namespace;
}

/** The chosen fleet as options of the library (`sources`), and as a text for people. */
export function fleetFromOptions(options: FleetOptions): {
  readonly sources: Omit<DynamoFleetOptions, 'form'>;
  readonly text: string;
} {
  const { nats, etcd } = connectionOptionsFromEnv(options, process.env);
  const { endpoint, prefillEndpoint } = options;
  const namespace = namespaceFromOptions(options);
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
