import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The version of a package that is installed for this module, or `undefined` when no manifest of it is found. */
export async function installedVersion(name: string): Promise<string | undefined> {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      const manifest = await readFile(join(folder, name, 'package.json'), 'utf8');
      return (JSON.parse(manifest) as { readonly version?: string }).version;
    } catch {
      // Not in this folder: the next one is tried, as Node does.
    }
  }
  return undefined;
}
