import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { onPath } from '../support/on-path.js';
import { releases, type ReleaseName } from './releases.js';

const interpreters = ['python3.11', 'python3.12', 'python3.10', 'python3'];

/**
 * The Python interpreter of a virtual environment that holds a release of Dynamo. The first time it is made in the
 * user's cache folder, which takes minutes; what is done is told on standard error.
 */
export async function dynamoPython(release: ReleaseName): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', 'dynamo');
  const folder = join(cache, release);
  const python = join(folder, 'bin', 'python');
  // Written last: a folder without it is what a run left that was cut off.
  const complete = join(folder, 'complete');
  if (existsSync(complete) && existsSync(python)) return python;
  const base = interpreters.map((name) => onPath(name)).find((path) => path !== undefined);
  if (base === undefined)
    throw new Error('Dynamo needs Python 3.10 to 3.12, and there is no python3 on PATH');
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  tell(`installing Dynamo ${release} into ${folder}: once, some minutes`);
  await run(base, ['-m', 'venv', folder]);
  for (const packages of releases[release].install) {
    tell(`pip install ${packages.join(' ')}`);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
  }
  await writeFile(complete, '');
  return python;
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${said}`));
    });
  });
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
