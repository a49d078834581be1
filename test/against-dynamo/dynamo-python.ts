import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../support/cache-folder.js';
import { findProgram } from '../support/find-program.js';
import { run } from '../support/processes.js';
import { releases, type ReleaseName } from './releases.js';

const interpreters = ['python3.11', 'python3.12', 'python3.10', 'python3'];

/**
 * The Python interpreter of a virtual environment with a release of Dynamo. The first call creates it in the user's cache
 * folder, which takes minutes, and logs progress to standard error.
 */
export async function dynamoPython(release: ReleaseName): Promise<string> {
  const cache = cacheFolder('dynamo');
  const folder = join(cache, release);
  const python = join(folder, 'bin', 'python');
  // Written last: a folder without this file is incomplete.
  const complete = join(folder, 'complete');
  if (existsSync(complete) && existsSync(python)) return python;
  const base = interpreters.map((name) => findProgram(name)).find((path) => path !== undefined);
  if (base === undefined) throw new Error('Dynamo needs Python 3.10 to 3.12, but python3 is not on PATH');
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  log(`installing Dynamo ${release} into ${folder}; this happens once and takes some minutes`);
  await run(base, ['-m', 'venv', folder]);
  for (const packages of releases[release]) {
    log(`pip install ${packages.join(' ')}`);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
  }
  await writeFile(complete, '');
  return python;
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}
