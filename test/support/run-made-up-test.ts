import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { root } from './run-cli.js';

/** The result of a run of vitest. */
export interface VitestRun {
  readonly out: string;
  readonly err: string;
  /** The last line of the output. */
  readonly last: string | undefined;
}

/**
 * Runs a test file that exists only for this, as `npm test` would. It imports the files of `test/support` from
 * `support/…`, and vitest's functions are global.
 */
export async function runMadeUpTest(source: string, env: NodeJS.ProcessEnv): Promise<VitestRun> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-made-up-'));
  try {
    mkdirSync(join(folder, 'test'));
    const support = join(root, 'test/support/');
    writeFileSync(join(folder, 'test/made-up.test.ts'), source.replaceAll(`'support/`, `'${support}`));
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const config = join(root, 'test/vitest.config.ts');
    const child = spawn(process.execPath, [vitest, 'run', '--config', config, '--dir', folder, '--globals'], {
      env: { NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { out, err, last: out.trimEnd().split('\n').at(-1) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
