import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectionOptionsFromEnv } from '../../src/cli/fleet-options.js';
import { requirePackages } from '../../src/cli/optional-packages.js';
import { PackageError } from '../../src/core/errors.js';

const options = { nats: 'nats://a:1, b', etcd: 'http://c:3,d' };

describe('who we are, from the variables of Dynamo', () => {
  it('none is set, or set to nothing - nobody', () => {
    const nobody = { nats: { servers: ['nats://a:1', 'b'] }, etcd: { hosts: ['http://c:3', 'd'] } };
    expect(connectionOptionsFromEnv(options, {})).toEqual(nobody);
    expect(connectionOptionsFromEnv(options, { NATS_AUTH_TOKEN: '', ETCD_AUTH_USERNAME: '' })).toEqual(
      nobody,
    );
  });

  it('several for NATS - the one that Dynamo takes', () => {
    const seed = { NATS_AUTH_NKEY: 'SU1' };
    const token = { ...seed, NATS_AUTH_TOKEN: 't' };
    const user = { ...token, NATS_AUTH_USERNAME: 'u', NATS_AUTH_PASSWORD: 'p' };
    expect(connectionOptionsFromEnv(options, user).nats.auth).toEqual({ user: 'u', password: 'p' });
    expect(connectionOptionsFromEnv(options, token).nats.auth).toEqual({ token: 't' });
    expect(connectionOptionsFromEnv(options, seed).nats.auth).toEqual({ nkeySeed: 'SU1' });
  });

  it('files for NATS, PEM text for etcd', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tidemark-access-')), 'file');
    writeFileSync(path, 'text');
    const environment = {
      NATS_AUTH_CREDENTIALS_FILE: path,
      NATS_TLS_CA_CERT_PATH: path,
      ETCD_AUTH_USERNAME: 'u',
      ETCD_AUTH_PASSWORD: 'p',
      ETCD_AUTH_CA: 'ca',
      ETCD_AUTH_CLIENT_CERT: 'cert',
      ETCD_AUTH_CLIENT_KEY: 'key',
    };
    const { nats, etcd } = connectionOptionsFromEnv(options, environment);
    expect([nats.auth, nats.tls]).toEqual([{ credentials: 'text' }, { ca: 'text' }]);
    expect(etcd.auth).toEqual({ username: 'u', password: 'p' });
    expect(etcd.tls).toEqual({ ca: 'ca', cert: 'cert', key: 'key' });
  });

  it('half of a pair, or a file that is not there - a sentence', () => {
    expect(() => connectionOptionsFromEnv(options, { NATS_AUTH_USERNAME: 'u' })).toThrow(
      'NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD go together: set both or none.',
    );
    expect(() => connectionOptionsFromEnv(options, { ETCD_AUTH_PASSWORD: 'p' })).toThrow('go together');
    expect(() => connectionOptionsFromEnv(options, { NATS_TLS_CA_CERT_PATH: '/none' })).toThrow(
      '/none cannot be read: there is no such file',
    );
  });
});

describe('needPackages', () => {
  const unusable = (name: string, detail: string) => () =>
    Promise.reject(new PackageError('package-missing', name, detail, `${name}@2`));

  it('passes when every package can be loaded', async () => {
    await expect(requirePackages('watch')).resolves.toBeUndefined();
  });

  it('names every package that cannot be used, and one command', async () => {
    const missing = unusable('nats', 'is not installed');
    await expect(requirePackages('watch', [() => Promise.resolve(), missing])).rejects.toThrow(
      'tidemark watch needs nats, which is not installed: npm install nats@2',
    );
    await expect(requirePackages('watch', [missing, unusable('yaml', 'is too old')])).rejects.toThrow(
      'tidemark watch needs nats, which is not installed; and yaml, which is too old: npm install nats@2 yaml@2',
    );
  });

  it('passes on an error that is not about packages', async () => {
    await expect(requirePackages('watch', [() => Promise.reject(new Error('broken'))])).rejects.toThrow(
      'broken',
    );
  });
});
