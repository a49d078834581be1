import { loadEtcd3 } from '../adapters/etcd/etcd-client.js';
import { loadNats } from '../adapters/nats/nats-package.js';
import { PackageError } from '../core/errors.js';
import { loadFastifyPackage } from '../service/http/service-app.js';
import { blake3Package } from './live/read-model-files.js';
import { CliError } from './terminal.js';

/** Loads a package, or rejects with a `PackageError`. */
type Loader = () => Promise<unknown>;

/** The packages for NATS. */
export const natsPackages: readonly Loader[] = [loadNats];

const liveFleetPackages: readonly Loader[] = [...natsPackages, loadEtcd3];

/** The packages for a service: of a simulated fleet, and of a live one. */
export const servicePackages: readonly Loader[] = [loadFastifyPackage];
export const liveServicePackages: readonly Loader[] = [...servicePackages, ...liveFleetPackages];

/** The packages for a fleet whose model cards name files. */
export const modelFilePackages: readonly Loader[] = [...liveFleetPackages, blake3Package];

/**
 * Checks that the optional packages of a command can be loaded, before the command starts.
 *
 * @throws CliError that names every package that cannot be used, and the command that installs them.
 */
export async function requirePackages(command: string, loaders = liveFleetPackages): Promise<void> {
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
