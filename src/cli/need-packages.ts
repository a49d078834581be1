import { PackageError } from '../core/package-error.js';
import { etcd3Package } from '../adapters/etcd/etcd3-package.js';
import { natsClient } from '../adapters/nats/nats-client.js';
import { fastifyPackage } from '../service/fastify-package.js';
import { blake3Package } from './blake3-package.js';
import { CliError } from './cli-error.js';

/** Loads a package, or rejects with a `PackageError`. */
type Loader = () => Promise<unknown>;

/** What talking to NATS needs. */
export const forNats: readonly Loader[] = [natsClient];

const clients: readonly Loader[] = [...forNats, etcd3Package];

/** What a service needs, of a simulated fleet and of a live one. */
export const forService: readonly Loader[] = [fastifyPackage];
export const forLiveService: readonly Loader[] = [...forService, ...clients];

/** What a fleet needs besides whose cards name files. */
export const forModelFiles: readonly Loader[] = [...clients, blake3Package];

/**
 * Checks that the optional packages that a command needs are there, before the command begins.
 *
 * @throws CliError that names every package that cannot be used, and the command that installs them.
 */
export async function needPackages(command: string, loaders = clients): Promise<void> {
  const unusable: PackageError[] = [];
  for (const load of loaders) {
    try {
      await load();
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      unusable.push(error);
    }
  }
  if (unusable.length === 0) return;
  const details = unusable.map(({ packageName, detail }) => `${packageName}, which ${detail}`).join('; and ');
  const install = unusable.map((error) => error.install).join(' ');
  throw new CliError(`tidemark ${command} needs ${details}: npm install ${install}`);
}
