import { lastValueFrom, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { installedVersion } from '../../../src/adapters/packages/installed-version.js';
import {
  compareVersions,
  installArguments,
  loadFirstPackage,
  loadPackage,
} from '../../../src/adapters/packages/load-package.js';
import { PackageError } from '../../../src/core/errors.js';
import { type SourceStatus, packageProblems } from '../../../src/core/sources/source-status.js';

const notFound = (name: string) => () =>
  Promise.reject(
    Object.assign(new Error(`Cannot find package '${name}' imported from /x.js`), {
      code: 'ERR_MODULE_NOT_FOUND',
    }),
  );
const version = (text: string | undefined) => () => Promise.resolve(text);
const present = () => Promise.resolve('the module');

describe('loadPackage', () => {
  it.each([
    ['3.0.0', 'package-version'],
    ['2.0.0', 'package-version'],
    ['not a version', undefined],
    [undefined, undefined],
  ])('an installed version of %s', async (installed, code) => {
    const loaded = loadPackage('nats', present, version(installed));
    if (code === undefined) expect(await loaded).toEqual({ module: 'the module', version: installed });
    else
      await expect(loaded).rejects.toMatchObject({
        code,
        packageName: 'nats',
        message: expect.stringMatching(
          new RegExp(`^The package nats is installed as ${installed}, .* needs .*: npm install nats@2$`),
        ) as string,
      });
  });

  it('that is missing is one error, and one that imports a missing package is another', async () => {
    await expect(loadPackage('etcd3', notFound('etcd3'), version(undefined))).rejects.toMatchObject({
      code: 'package-missing',
      message: 'The package etcd3 is not installed: npm install etcd3@1',
    });
    const broken = loadPackage('etcd3', notFound('cockatiel'), version('1.1.2'));
    await expect(broken).rejects.toBeInstanceOf(PackageError);
    await expect(broken).rejects.toMatchObject({
      code: 'package-broken',
      message: expect.stringContaining(
        "installed as 1.1.2, but it cannot be loaded (Cannot find package 'cock",
      ) as string,
    });
  });

  it('a missing subpath of a package is the package', async () => {
    await expect(
      loadPackage('@noble/hashes', notFound('@noble/hashes/blake3.js'), version(undefined)),
    ).rejects.toMatchObject({ code: 'package-missing' });
  });

  it('an old version that cannot be loaded is too old', async () => {
    const old = loadPackage('fastify', () => Promise.reject(new Error('no export')), version('4.29.1'));
    await expect(old).rejects.toMatchObject({ code: 'package-version' });
  });

  it('finds the version of what is installed here', async () => {
    expect(await installedVersion('vitest')).toMatch(/^\d+\.\d+\.\d+/);
    expect(await installedVersion('no-such-package')).toBeUndefined();
  });
});

describe('loadFirstPackage', () => {
  const two = (load: () => Promise<string>, installed?: string) => () =>
    loadPackage('nats', load, version(installed));
  const three = (load: () => Promise<string>, installed?: string) => () =>
    loadPackage('@nats-io/transport-node', load, version(installed));
  const [noTwo, noThree] = [notFound('nats'), notFound('@nats-io/transport-node')];

  it.each([
    ['both are installed: the first', two(present, '2.29.3'), three(present, '3.3.1'), '2.29.3'],
    ['only the second is installed', two(noTwo), three(present, '3.3.1'), '3.3.1'],
    ['the first is too old', two(present, '1.0.0'), three(present, '3.3.1'), '3.3.1'],
  ])('%s', async (_, one, other, loaded) => {
    expect((await loadFirstPackage([one, other])).version).toBe(loaded);
  });

  it.each([
    [
      'neither is installed: about the first',
      two(noTwo),
      three(noThree),
      /nats is not installed: npm install nats@2$/,
    ],
    [
      'only the second is installed, and too old: about it',
      two(noTwo),
      three(present, '2.0.0'),
      /transport-node is installed as 2\.0\.0, .*: npm install @nats-io\/transport-node@3$/,
    ],
    [
      'both are too old: about the first',
      two(present, '1.0.0'),
      three(present, '2.0.0'),
      /nats is installed as 1\.0\.0/,
    ],
  ])('%s', async (_, one, other, message) => {
    await expect(loadFirstPackage([one, other])).rejects.toThrow(message);
  });
});

it('versions are compared by their numbers', () => {
  const sorted = ['10.0.0', '5.12.8', '5.9.0', '5.0.0-rc.1', '5.0.0', '5'].sort(compareVersions);
  expect(sorted).toEqual(['5.0.0-rc.1', '5.0.0', '5', '5.9.0', '5.12.8', '10.0.0']);
});

it('the command for Fastify brings packages that run on this release of Node', () => {
  const [major = 0] = process.versions.node.split('.').map(Number);
  expect(installArguments('fastify')).toBe(major < 22 ? 'fastify@5 light-my-request@6.6' : 'fastify@5');
});

it('a problem is given when a package begins to be a reason, not at every try', async () => {
  const status = (code?: SourceStatus['code'], why = 'away'): SourceStatus => ({
    source: 'loads',
    state: 'down',
    since: 0,
    why,
    ...(code && { code }),
  });
  const missing = status('package-missing', 'install it');
  const old = status('package-version', 'update it');
  const statuses$ = of(status(), missing, missing, old, status(), missing);
  const problems = await lastValueFrom(packageProblems(statuses$, 'loads').pipe(toArray()));
  const problem = (code: string, text: string) => ({ code, source: 'loads', text, count: 1 });
  expect(problems).toEqual([
    problem('package-missing', 'install it'),
    problem('package-version', 'update it'),
    problem('package-missing', 'install it'),
  ]);
});
