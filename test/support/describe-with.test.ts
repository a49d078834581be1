import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './run-cli.js';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-describe-'));
  mkdirSync(join(folder, 'test'));
  writeFileSync(
    join(folder, 'test/made-up.test.ts'),
    `import { describeWith } from ${JSON.stringify(join(root, 'test/support/describe-with.ts'))};
     describe('around', () => {
       describeWith(['etcd', 'openssl'], 'a source', () => {
         beforeAll(() => { throw new Error('a hook of a skipped suite'); });
         it('one', () => {});
         it('two', () => {});
       });
       describeWith([], 'what needs nothing', () => { it('three', () => {}); });
     });`,
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A run of the made-up suite where nothing is installed. */
async function run(env: NodeJS.ProcessEnv): Promise<{ out: string; err: string; last: string | undefined }> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const config = join(root, 'test/vitest.config.ts');
  const child = spawn(process.execPath, [vitest, 'run', '--config', config, '--dir', folder, '--globals'], {
    env: { PATH: '', XDG_CACHE_HOME: folder, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { out, err, last: out.trimEnd().split('\n').at(-1) };
}

describe('a suite whose programs are missing', () => {
  const reason = 'etcd is not installed, and there is no apt-get to fetch it with; openssl is not installed';

  it('is skipped, says why, and is counted as skipped', async () => {
    const { err, last } = await run({});
    expect(last).toBe('1 passed, 0 failed, 2 skipped');
    expect(err).toContain(`skipped: a source: ${reason}`);
  });

  it('fails where CI is true', async () => {
    const { out, err, last } = await run({ CI: 'true' });
    expect(last).toBe('1 passed, 1 failed, 2 skipped');
    expect(out).toContain('has what it needs');
    expect(err).toContain(reason);
  });
});
