import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './processes.js';

/** Paths of PEM files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** The authority that signed the server and the client. */
  readonly ca: string;
  /** For 127.0.0.1 and localhost. It is good for a client too: etcd's own gateway calls etcd with it. */
  readonly server: KeyPair;
  readonly client: KeyPair;
  /** An authority that signed neither. */
  readonly otherCa: string;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const DAYS = ['-days', '2'];

/** Makes certificates for a test in a folder, with `openssl`. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const config = join(folder, 'openssl.cnf');
  await writeFile(config, extensions);
  const [ca, otherCa] = await Promise.all([
    makeAuthority(folder, 'ca', config),
    makeAuthority(folder, 'other-ca', config),
  ]);
  const [server, client] = await Promise.all([
    sign(folder, 'server', ca, config),
    sign(folder, 'client', ca, config),
  ]);
  return { ca: ca.cert, server, client, otherCa: otherCa.cert };
}

const extensions = `
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
subjectAltName = IP:127.0.0.1, DNS:localhost
extendedKeyUsage = serverAuth, clientAuth
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
`;

async function makeAuthority(folder: string, name: string, config: string): Promise<KeyPair> {
  const pair = pairIn(folder, name);
  const subject = ['-subj', `/CN=tidemark test ${name}`];
  const files = ['-keyout', pair.key, '-out', pair.cert];
  await openssl(
    'req',
    '-x509',
    ...CURVE,
    ...DAYS,
    '-config',
    config,
    '-extensions',
    'authority',
    ...subject,
    ...files,
  );
  return pair;
}

/** Serial numbers are given, because two signatures at once would share the file that counts them. */
async function sign(
  folder: string,
  role: 'server' | 'client',
  ca: KeyPair,
  config: string,
): Promise<KeyPair> {
  const pair = pairIn(folder, role);
  const request = join(folder, `${role}.csr`);
  const subject = ['-subj', `/CN=tidemark-${role}`];
  await openssl('req', '-new', ...CURVE, '-config', config, ...subject, '-keyout', pair.key, '-out', request);
  const authority = ['-CA', ca.cert, '-CAkey', ca.key, '-set_serial', role === 'server' ? '2' : '3'];
  const extended = ['-extfile', config, '-extensions', role];
  await openssl('x509', '-req', '-in', request, ...authority, ...DAYS, ...extended, '-out', pair.cert);
  return pair;
}

function pairIn(folder: string, name: string): KeyPair {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

async function openssl(...args: string[]): Promise<void> {
  await run('openssl', args);
}
