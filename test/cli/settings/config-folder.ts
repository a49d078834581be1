import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-settings-'));

/** The path of a file that may not exist. */
export const pathOf = (name: string): string => join(folder, name);

/** Writes a file and returns its path. */
export function writeFile(name: string, text: string): string {
  writeFileSync(pathOf(name), text);
  return pathOf(name);
}
