import { CliError } from './cli-error.js';

type Loaders = Readonly<Record<string, () => Promise<unknown>>>;

/** What talking to NATS needs. */
export const forNats: Loaders = { nats: () => import('nats') };

const clients: Loaders = {
  ...forNats,
  etcd3: () => import('etcd3'),
};

/** What a service needs, of a simulated fleet and of a live one. */
export const forService: Loaders = { fastify: () => import('fastify') };
export const forLiveService: Loaders = { ...forService, ...clients };

/** What a fleet needs besides whose cards name files. */
export const forModelFiles: Loaders = {
  ...clients,
  '@noble/hashes': () => import('@noble/hashes/blake3'),
};

/**
 * Checks that the optional packages that a live fleet needs are there, before anything that imports them is loaded.
 *
 * @throws CliError that says what to install
 */
export async function needPackages(command: string, loaders = clients): Promise<void> {
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
