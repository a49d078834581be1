import { type EtcdOptions, parseEtcdHosts } from '../../adapters/etcd/etcd-options.js';
import { type NatsAuth, type NatsOptions, parseNatsServers } from '../../adapters/nats/nats-options.js';
import { readInput } from '../read-input.js';
import { CliError } from '../terminal.js';
import {
  aList,
  aSecret,
  aSwitch,
  aText,
  declare,
  makeAll,
  present,
  type Settings,
  type ValuesOf,
} from './setting.js';

/** How to connect to NATS. The variables are those of Dynamo, where it has one. */
export const natsSettings = declare({
  nats: {
    ...aList('<urls>'),
    env: 'NATS_SERVER',
    defaultValue: ['nats://localhost:4222'],
    text: 'NATS servers, comma-separated',
  },
  natsTlsCa: {
    ...aText('<file>'),
    env: 'NATS_TLS_CA_CERT_PATH',
    text: 'file with the certificate authority of the NATS servers, in PEM; it requires TLS',
  },
  natsTlsCert: {
    ...aText('<file>'),
    env: 'NATS_TLS_CLIENT_CERT_PATH',
    text: 'file with the client certificate for NATS, in PEM',
  },
  natsTlsKey: {
    ...aText('<file>'),
    env: 'NATS_TLS_CLIENT_KEY_PATH',
    text: 'file with the key of the client certificate for NATS, in PEM',
  },
  natsTlsFirst: {
    ...aSwitch,
    text: 'begin with the TLS handshake, for NATS servers with handshake_first',
  },
  natsUsername: aSecret('NATS_AUTH_USERNAME', 'user for NATS; a user in a URL applies to that server only'),
  natsPassword: aSecret('NATS_AUTH_PASSWORD', 'password of the user for NATS'),
  natsToken: aSecret('NATS_AUTH_TOKEN', 'token for NATS'),
  natsNkey: aSecret('NATS_AUTH_NKEY', 'seed of an NKey for NATS'),
  natsCredentialsFile: {
    ...aText('<file>'),
    flag: null,
    env: 'NATS_AUTH_CREDENTIALS_FILE',
    text: 'file with credentials for NATS',
  },
});

/** How to connect to etcd. The variables are those of Dynamo. */
export const etcdSettings = declare({
  etcd: {
    ...aList('<urls>'),
    env: 'ETCD_ENDPOINTS',
    defaultValue: ['http://localhost:2379'],
    text: 'etcd hosts, comma-separated',
  },
  etcdUsername: aSecret('ETCD_AUTH_USERNAME', 'user for etcd'),
  etcdPassword: aSecret('ETCD_AUTH_PASSWORD', 'password of the user for etcd'),
  etcdTlsCa: aSecret('ETCD_AUTH_CA', 'certificate authority of etcd, as PEM text'),
  etcdTlsCert: aSecret('ETCD_AUTH_CLIENT_CERT', 'client certificate for etcd, as PEM text'),
  etcdTlsKey: aSecret('ETCD_AUTH_CLIENT_KEY', 'key of the client certificate for etcd, as PEM text'),
});

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
  return { servers, ...present({ auth, tls: isEmpty(tls) ? undefined : tls }) };
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
  const auth = login && { username: login[0], password: login[1] };
  const options = { hosts, ...present({ auth, tls: isEmpty(tls) ? undefined : tls }) };
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
