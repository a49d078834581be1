import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.js';
import { findProgram } from './find-program.js';
import { run } from './processes.js';

export type ServerName = 'etcd' | 'nats-server' | 'prometheus' | 'promtool';

/** The program, or the reason why it is missing. */
export type FoundBinary = { readonly path: string } | { readonly missing: string };

/** Debian's packages, and the path of the server in them. */
const packages: Readonly<Record<ServerName, { readonly name: string; readonly file: string }>> = {
  etcd: { name: 'etcd-server', file: 'usr/bin/etcd' },
  'nats-server': { name: 'nats-server', file: 'usr/sbin/nats-server' },
  prometheus: { name: 'prometheus', file: 'usr/bin/prometheus' },
  promtool: { name: 'prometheus', file: 'usr/bin/promtool' },
};

/**
 * Finds a server: the installed one, otherwise Debian's, unpacked into the user's cache folder. The system is not
 * changed, and root is not needed.
 */
export async function serverBinary(
  server: ServerName,
  env: NodeJS.ProcessEnv = process.env,
): Promise<FoundBinary> {
  const installed = findProgram(server, env);
  if (installed !== undefined) return { path: installed };
  const { name, file } = packages[server];
  const cache = cacheFolder('servers', env);
  const folder = join(cache, `${name}-${process.arch}`);
  const path = join(folder, file);
  if (existsSync(path)) return { path };
  const [get, unpack] = [findProgram('apt-get', env), findProgram('dpkg-deb', env)];
  if (get === undefined || unpack === undefined)
    return { missing: `${server} is not installed, and there is no apt-get to fetch it with` };
  try {
    await fetchPackage({ name, folder, cache, get, unpack });
  } catch (error) {
    return { missing: `${server} is not installed, and ${explain(error)}` };
  }
  return existsSync(path) ? { path } : { missing: `${server} is not in Debian's package ${name}` };
}

interface Fetch {
  readonly name: string;
  readonly folder: string;
  readonly cache: string;
  readonly get: string;
  readonly unpack: string;
}

/** Unpacks next to the folder and renames it, so that concurrent runs find nothing or everything. */
async function fetchPackage({ name, folder, cache, get, unpack }: Fetch): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.fetching-'));
  try {
    // Without a network it should fail soon.
    const options = ['-q', '-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=10'];
    await run(get, [...options, 'download', name], { cwd: work, timeout: 120_000 });
    const archive = (await readdir(work)).find((entry) => entry.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get brought no package ${name}`);
    const tree = join(work, 'tree');
    await run(unpack, ['-x', join(work, archive), tree]);
    await rename(tree, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function explain(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr || message).trim().split('\n');
  return lines.find((line) => line.startsWith('E:')) ?? lines.at(-1) ?? 'apt-get failed';
}
