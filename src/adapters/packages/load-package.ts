import { PackageError, packageErrorCode } from '../../core/errors.js';

/** Compares two versions by their numbers: negative when `a` is older. A pre-release counts as its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const differs = [0, 1, 2].find((place) => left[place] !== right[place]);
  return differs === undefined ? 0 : (left[differs] ?? 0) - (right[differs] ?? 0);
}

function numbersOf(version: string): number[] {
  return version
    .replace(/[-+].*/, '')
    .split('.')
    .map(Number);
}

/** The supported versions of a package: from `min` on, and older than the major version `below`. */
export interface SupportedVersions {
  readonly min: string;
  readonly below: number;
}

/** The optional packages that tidemark loads; `peerDependencies` in package.json declares the same ranges. */
export const supportedPackages = {
  '@nats-io/transport-node': { min: '3.0.0', below: 4 },
  '@noble/hashes': { min: '1.8.0', below: 3 },
  etcd3: { min: '1.0.1', below: 2 },
  fastify: { min: '5.0.0', below: 6 },
  nats: { min: '2.15.1', below: 3 },
  yaml: { min: '2.0.0', below: 3 },
} as const satisfies Readonly<Record<string, SupportedVersions>>;

export type PackageName = keyof typeof supportedPackages;

/** A package that was loaded. */
export interface LoadedPackage<T> {
  readonly module: T;
  /** `undefined` where it cannot be found out: the package is bundled, or a test runner loads it. */
  readonly version: string | undefined;
}

/** The `catch` of an `import()`: without one, esbuild refuses to bundle a program where the package is not installed. */
export function rethrow(error: unknown): never {
  throw error;
}

/**
 * Loads an optional package.
 *
 * 1. `load` imports it by a literal name, so that bundlers and type checkers see the name, and catches with {@link rethrow}.
 * 2. A version that tidemark does not support is refused. An unknown version is not.
 *
 * @throws PackageError with the command that installs a supported version.
 */
export async function loadPackage<T>(
  name: PackageName,
  load: () => Promise<T>,
  readVersion: (name: string) => Promise<string | undefined> = versionOf,
): Promise<LoadedPackage<T>> {
  const loaded = await load().then(
    (module) => ({ module }),
    (error: unknown) => ({ error }),
  );
  if ('error' in loaded && isMissing(loaded.error, name))
    throw new PackageError('package-missing', name, 'is not installed', installArguments(name), {
      cause: loaded.error,
    });
  const version = await readVersion(name);
  const { min, below } = supportedPackages[name];
  if (
    version !== undefined &&
    (compareVersions(version, min) < 0 || compareVersions(version, `${below}`) >= 0)
  )
    throw new PackageError(
      'package-version',
      name,
      `is installed as ${version}, and tidemark needs ${min} or later, before ${below}`,
      installArguments(name),
    );
  if ('error' in loaded) {
    const { error } = loaded;
    const text = error instanceof Error ? error.message : String(error);
    const detail = `is installed${version === undefined ? '' : ` as ${version}`}, but it cannot be loaded (${text})`;
    throw new PackageError('package-broken', name, detail, installArguments(name), { cause: error });
  }
  return { module: loaded.module, version };
}

/**
 * Loads the first of several packages that can be used in place of each other.
 *
 * @throws PackageError about the first one that is installed, or else about the first one.
 */
export async function loadFirstPackage<T>(
  loaders: readonly (() => Promise<LoadedPackage<T>>)[],
): Promise<LoadedPackage<T>> {
  const errors: unknown[] = [];
  for (const load of loaders) {
    try {
      return await load();
    } catch (error) {
      errors.push(error);
    }
  }
  throw errors.find((error) => packageErrorCode(error) !== 'package-missing') ?? errors[0];
}

/** The arguments of `npm install` that bring a supported version of a package. */
export function installArguments(name: PackageName): string {
  const supported = `${name}@${supportedPackages[name].below - 1}`;
  // Newer ones bring a version of cookie that asks for Node 22, and npm warns (EBADENGINE).
  const needsOlder = name === 'fastify' && compareVersions(process.versions.node, '22.0.0') < 0;
  return needsOlder ? `${supported} light-my-request@6.6` : supported;
}

/** `import()` in a file of its own: it uses `import.meta`, which not every test runner and bundler provides. */
async function versionOf(name: string): Promise<string | undefined> {
  try {
    const { installedVersion } = await import('./installed-version.js');
    return await installedVersion(name);
  } catch {
    return undefined;
  }
}

/** Whether the package itself was not found, and not one that it imports. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message = '' } = error as Partial<NodeJS.ErrnoException>;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return false;
  const [, missing = ''] = /['"]([^'"]+)['"]/.exec(message) ?? [];
  return missing === name || missing.startsWith(`${name}/`);
}
