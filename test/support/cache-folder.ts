import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the tests keep what they fetched, so that it is fetched once. */
export function cacheFolder(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', name);
}
