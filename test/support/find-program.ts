import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The folder of servers in Debian, which is not on every PATH. */
const serverFolders = ['/usr/local/sbin', '/usr/sbin'];

/** The path of a program that is on PATH or where servers are, if there is one. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(delimiter), ...serverFolders];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
