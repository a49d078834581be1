import { CliError } from './terminal.js';

type PackageLoaders = Readonly<Record<string, () => Promise<unknown>>>;

/** What talking to NATS needs. */
export const natsPackages: PackageLoaders = { nats: () => import('nats') };

const liveFleetPackages: PackageLoaders = {
  ...natsPackages,
  etcd3: () => import('etcd3'),
};

/** What a service needs, of a simulated fleet and of a live one. */
export const servicePackages: PackageLoaders = { fastify: () => import('fastify') };
export const liveServicePackages: PackageLoaders = { ...servicePackages, ...liveFleetPackages };

/** What a fleet needs besides whose cards name files. */
export const modelFilePackages: PackageLoaders = {
  ...liveFleetPackages,
  '@noble/hashes': () => import('@noble/hashes/blake3'),
};

/**
 * Checks that the optional packages that a live fleet needs are there, before anything that imports them is loaded.
 *
 * @throws CliError that says what to install
 */
export async function requirePackages(command: string, loaders = liveFleetPackages): Promise<void> {
  const missing: string[] = [];
  for (const [name, load] of Object.entries(loaders)) {
    try {
      await load();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      missing.push(name);
    }
  }
  if (missing.length === 0) return;
  const names = missing.join(' and ');
  throw new CliError(
    `tidemark ${command} needs ${names}, which ${missing.length === 1 ? 'is' : 'are'} not installed: npm install ${missing.join(' ')}`,
  );
}
