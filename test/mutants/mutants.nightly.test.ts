import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf, run, type Finished } from '../support/processes.js';
import { root } from '../support/root.js';

const folder = import.meta.dirname;
const patches = readdirSync(folder).filter((file) => file.endsWith('.patch'));
let copy = '';

beforeAll(async () => {
  copy = await copyOfTheRepository();
  await run('npx', ['tsc', '-b'], { cwd: copy });
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/**
 * Each patch beside this file breaks one rule. The patch must apply, the build must pass, and the tests that the patch
 * names in its line `Test:` must fail, for each title in its lines `Fails:`.
 */
describe('mutants', () => {
  it.each(patches.map((file) => file.replace('.patch', '')))('%s is caught', async (name) => {
    const patch = join(folder, `${name}.patch`);
    const text = readFileSync(patch, 'utf8');
    const [, test = ''] = /^Test: (.*)$/m.exec(text) ?? [];
    const titles = [...text.matchAll(/^Fails: (.*)$/gm)].map(([, title = '']) => title);
    expect([test, ...titles], 'a line "Test:" and lines "Fails:"').not.toContain('');
    expect(titles).not.toEqual([]);
    expect(await inCopy('git', 'apply', patch)).toMatchObject({ code: 0 });
    try {
      expect(await inCopy('npx', 'tsc', '-b')).toMatchObject({ code: 0 });
      const { out } = await inCopy(
        'npx',
        ...['vitest', 'run', '--config', 'test/vitest.config.ts', '--reporter', 'json', test],
      );
      const failed = failedTests(out);
      expect(titles.filter((title) => !failed.some((name) => name.includes(title)))).toEqual([]);
    } finally {
      await inCopy('git', 'apply', '--reverse', patch);
    }
  });
});

function inCopy(command: string, ...args: string[]): Promise<Finished> {
  return outcomeOf(command, args, { cwd: copy });
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function failedTests(out: string): string[] {
  const { testResults } = JSON.parse(out.slice(out.indexOf('{'), out.lastIndexOf('}') + 1)) as Report;
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
    .map(({ fullName }) => fullName);
}

/** Everything but what git does not know, with the installed packages linked. */
async function copyOfTheRepository(): Promise<string> {
  const target = mkdtempSync(join(tmpdir(), 'tidemark-mutants-'));
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = await run('git', args, { cwd: root });
  for (const file of new Set(files.split('\0')))
    if (file !== '') cpSync(join(root, file), join(target, file), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
  return target;
}
