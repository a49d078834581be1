import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outcomeOf } from './processes.js';
import { root } from './root.js';

/** The result of a run of vitest. */
export interface VitestRun {
  readonly out: string;
  readonly err: string;
  /** The last line of the output. */
  readonly last: string | undefined;
}

/**
 * Runs a test file that exists only for this, in the lanes of `npm test`. It imports the files of `test/support` from
 * `support/…`, and vitest's functions are global.
 *
 * @param files the texts of test files by their names; one text alone is a test of the lane `unit`
 */
export async function runMadeUpTest(
  files: string | Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
): Promise<VitestRun> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-made-up-'));
  try {
    mkdirSync(join(folder, 'test'));
    const support = join(root, 'test/support/');
    const texts = typeof files === 'string' ? { 'made-up.test.ts': files } : files;
    for (const [name, text] of Object.entries(texts))
      writeFileSync(join(folder, 'test', name), text.replaceAll(`'support/`, `'${support}`));
    const config = join(folder, 'vitest.config.ts');
    const lanes = JSON.stringify(join(root, 'test/vitest.config.ts'));
    writeFileSync(
      config,
      `import { configFor } from ${lanes};\nexport default configFor(import.meta.dirname);\n`,
    );
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', config, '--globals'];
    const { out, err } = await outcomeOf(process.execPath, args, {
      env: { NO_COLOR: '1', ...env },
      extendEnv: false,
    });
    return { out, err, last: out.trimEnd().split('\n').at(-1) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
