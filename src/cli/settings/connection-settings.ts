import { type EtcdOptions, parseEtcdHosts } from '../../adapters/etcd/etcd-options.js';
import { type NatsAuth, type NatsOptions, parseNatsServers } from '../../adapters/nats/nats-options.js';
import { readInput } from '../read-input.js';
import { CliError } from '../terminal.js';
import {
  makeAll,
  present,
  readBoolean,
  readList,
  readText,
  type Settings,
  type ValuesOf,
} from './setting.js';

/** How to connect to NATS. The variables are those of Dynamo, where it has one. */
export const natsSettings = {
  nats: {
    flag: '--nats <urls>',
    env: 'NATS_SERVER',
    text: 'NATS servers, comma-separated',
    defaultValue: ['nats://localhost:4222'],
    read: readList,
  },
  natsTlsCa: {
    flag: '--nats-tls-ca <file>',
    env: 'NATS_TLS_CA_CERT_PATH',
    text: 'file with the certificate authority of the NATS servers, in PEM; it requires TLS',
    read: readText,
  },
  natsTlsCert: {
    flag: '--nats-tls-cert <file>',
    env: 'NATS_TLS_CLIENT_CERT_PATH',
    text: 'file with the client certificate for NATS, in PEM',
    read: readText,
  },
  natsTlsKey: {
    flag: '--nats-tls-key <file>',
    env: 'NATS_TLS_CLIENT_KEY_PATH',
    text: 'file with the key of the client certificate for NATS, in PEM',
    read: readText,
  },
  natsTlsFirst: {
    flag: '--nats-tls-first',
    env: 'TIDEMARK_NATS_TLS_FIRST',
    text: 'begin with the TLS handshake, for NATS servers with handshake_first',
    defaultValue: false,
    read: readBoolean,
  },
  natsUsername: {
    env: 'NATS_AUTH_USERNAME',
    text: 'user for NATS; a user in a URL applies to that server only',
    isSecret: true,
    read: readText,
  },
  natsPassword: {
    env: 'NATS_AUTH_PASSWORD',
    text: 'password of the user for NATS',
    isSecret: true,
    read: readText,
  },
  natsToken: { env: 'NATS_AUTH_TOKEN', text: 'token for NATS', isSecret: true, read: readText },
  natsNkey: { env: 'NATS_AUTH_NKEY', text: 'seed of an NKey for NATS', isSecret: true, read: readText },
  natsCredentialsFile: {
    env: 'NATS_AUTH_CREDENTIALS_FILE',
    text: 'file with credentials for NATS',
    read: readText,
  },
} satisfies Settings;

/** How to connect to etcd. The variables are those of Dynamo. */
export const etcdSettings = {
  etcd: {
    flag: '--etcd <urls>',
    env: 'ETCD_ENDPOINTS',
    text: 'etcd hosts, comma-separated',
    defaultValue: ['http://localhost:2379'],
    read: readList,
  },
  etcdUsername: { env: 'ETCD_AUTH_USERNAME', text: 'user for etcd', isSecret: true, read: readText },
  etcdPassword: {
    env: 'ETCD_AUTH_PASSWORD',
    text: 'password of the user for etcd',
    isSecret: true,
    read: readText,
  },
  etcdTlsCa: {
    env: 'ETCD_AUTH_CA',
    text: 'certificate authority of etcd, as PEM text',
    isSecret: true,
    read: readText,
  },
  etcdTlsCert: {
    env: 'ETCD_AUTH_CLIENT_CERT',
    text: 'client certificate for etcd, as PEM text',
    isSecret: true,
    read: readText,
  },
  etcdTlsKey: {
    env: 'ETCD_AUTH_CLIENT_KEY',
    text: 'key of the client certificate for etcd, as PEM text',
    isSecret: true,
    read: readText,
  },
} satisfies Settings;

/** The options of a connection to NATS. @throws SettingsError with all problems */
export function natsOptions(settings: ValuesOf<typeof natsSettings>): NatsOptions {
  const { nats: servers, natsTlsCert, natsTlsKey } = settings;
  const { auth, ca, certificate } = makeAll({
    servers: () => parseNatsServers({ servers }),
    auth: () => natsAuth(settings),
    ca: () => textOfFile(settings.natsTlsCa),
    certificate: () => pairOf({ natsTlsCert, natsTlsKey }, natsSettings)?.map(textOfFile),
  });
  const [cert, key] = certificate ?? [];
  const tls = present({ ca, cert, key, handshakeFirst: settings.natsTlsFirst || undefined });
  return present({ servers, auth, tls: isEmpty(tls) ? undefined : tls });
}

/** Dynamo looks for the credentials in this order. */
function natsAuth(settings: ValuesOf<typeof natsSettings>): NatsAuth | undefined {
  const { natsUsername, natsPassword, natsToken: token, natsNkey: nkeySeed } = settings;
  const login = pairOf({ natsUsername, natsPassword }, natsSettings);
  if (login !== undefined) return { user: login[0], password: login[1] };
  if (token !== undefined) return { token };
  if (nkeySeed !== undefined) return { nkeySeed };
  const credentials = textOfFile(settings.natsCredentialsFile);
  return credentials === undefined ? undefined : { credentials };
}

/** The options of a connection to etcd. @throws SettingsError with all problems */
export function etcdOptions(settings: ValuesOf<typeof etcdSettings>): EtcdOptions {
  const { etcd: hosts, etcdUsername, etcdPassword, etcdTlsCert, etcdTlsKey } = settings;
  const { login, certificate } = makeAll({
    hosts: () => parseEtcdHosts({ hosts }),
    login: () => pairOf({ etcdUsername, etcdPassword }, etcdSettings),
    certificate: () => pairOf({ etcdTlsCert, etcdTlsKey }, etcdSettings),
  });
  const [cert, key] = certificate ?? [];
  const tls = present({ ca: settings.etcdTlsCa, cert, key });
  const options = present({
    hosts,
    auth: login && { username: login[0], password: login[1] },
    tls: isEmpty(tls) ? undefined : tls,
  });
  // TLS and hosts have to fit each other.
  parseEtcdHosts(options);
  return options;
}

/** Two values that need each other; `undefined` if neither is set. */
function pairOf(
  values: Readonly<Record<string, string | undefined>>,
  settings: Settings,
): readonly [string, string] | undefined {
  const [first, second] = Object.values(values);
  if (first !== undefined && second !== undefined) return [first, second];
  if (first === undefined && second === undefined) return undefined;
  const names = Object.keys(values).map((name) => `${name} (${settings[name]?.env})`);
  throw new CliError(`${names.join(' and ')} must be set together: set both or neither.`);
}

function textOfFile<Path extends string | undefined>(path: Path): Path {
  return (path === undefined ? undefined : new TextDecoder().decode(readInput(path))) as Path;
}

function isEmpty(options: object): boolean {
  return Object.keys(options).length === 0;
}
