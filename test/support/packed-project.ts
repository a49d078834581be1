import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from './processes.js';
import { root } from './root.js';

/** A hook that builds a project may wait long on a machine that is busy. */
export const HOOK_MS = 600_000;

/** A project of a user, with tidemark from its tarball. */
export class PackedProject implements AsyncDisposable {
  constructor(readonly folder: string) {}

  /** Runs a program in the folder and returns its standard output; a failure shows both outputs. */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    return (await run(command, args, { cwd: this.folder })).replace(/\n$/, '');
  }

  /** Runs an ES module in the folder. */
  async script(text: string): Promise<string> {
    return this.run(process.execPath, '--input-type=module', '-e', text);
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * A project in which tidemark, its dependencies and RxJS are installed, and nothing else but the given packages.
 *
 * @param packages the packages beside it, each under its name there: `{ nats: 'nats' }`, or another version of it that
 *   is installed here as an alias: `{ fastify: 'fastify-lowest' }`
 */
export async function packedProject(
  packages: Readonly<Record<string, string>> = {},
  manifest: object = { type: 'module' },
): Promise<PackedProject> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-project-'));
  const project = new PackedProject(folder);
  const modules = join(folder, 'node_modules');
  await mkdir(modules, { recursive: true });
  await cp(await unpacked(), join(modules, 'tidemark'), { recursive: true });
  const { dependencies = {} } = await readManifest();
  const links = { ...ownNames(Object.keys(dependencies)), rxjs: 'rxjs', tslib: 'tslib', ...packages };
  for (const [name, installed] of Object.entries(links)) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, 'node_modules', installed), join(modules, name));
  }
  await project.write({ 'package.json': JSON.stringify({ name: 'project', private: true, ...manifest }) });
  return project;
}

/** Each package with its own name. */
export function ownNames(packages: readonly string[]): Record<string, string> {
  return Object.fromEntries(packages.map((name) => [name, name]));
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The names by which users import tidemark. */
export async function packageEntries(): Promise<string[]> {
  const { exports } = await readManifest();
  return Object.keys(exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => subpath.replace(/^\./, 'tidemark'));
}

async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
}

let packing: Promise<string> | undefined;

/** The tarball, unpacked. All test files share it: the folder is named after what it is made from. */
function unpacked(): Promise<string> {
  return (packing ??= pack());
}

async function pack(): Promise<string> {
  const cache = join(root, 'node_modules/.cache/tidemark');
  const folder = join(cache, await contentHash());
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.packing-'));
  try {
    const options = ['--json', '--ignore-scripts', '--pack-destination', work];
    const [{ filename }] = JSON.parse(await run('npm', ['pack', ...options], { cwd: root })) as [
      { readonly filename: string },
    ];
    await run('tar', ['-xzf', filename], { cwd: work });
    // Another test file may have been faster.
    await rename(join(work, 'package'), folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

async function contentHash(): Promise<string> {
  const hash = createHash('sha256');
  const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly files: readonly string[];
  };
  for (const name of ['package.json', 'README.md', ...files].filter((pattern) => !/[!*]/.test(pattern))) {
    for (const path of await filesOf(name)) hash.update(`${path}\0`).update(await readFile(join(root, path)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true }).catch(() => null);
  if (entries === null) return [path];
  return entries
    .filter((entry) => entry.isFile() && !/\/\.(examples|soak)(\/|$)/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
