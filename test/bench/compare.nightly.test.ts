import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { RunningProcess } from '../support/processes.js';

const timeout = 3_600_000;
let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'tidemark-compare-test-'));
});
afterEach(() => rm(temporary, { recursive: true }));

/** Starts a quick comparison whose temporary worktree is in `temporary`. */
function startCompare(...args: string[]) {
  const main = join(import.meta.dirname, 'main.js');
  const env = { TMPDIR: temporary };
  return new RunningProcess(process.execPath, [main, '--quick', ...args], { env });
}

describe('bench --compare', () => {
  it('measures two commits in turn, and removes its worktree', { timeout }, async () => {
    const args = ['--compare', 'HEAD', '--only', '^(walk|decode)/10x8$', '--processes', '2', '--json'];
    const { code, out, err } = await startCompare(...args).ended;
    expect(code, err).toBe(0);
    const { results } = JSON.parse(out) as { results: { case: string; there: { values: number[] } }[] };
    expect(results.map(({ case: name }) => name)).toEqual(['walk/10x8', 'decode/10x8']);
    expect(results.map(({ there }) => there.values.length)).toEqual([2, 2]);
    expect(err).toMatch(/round 2\/2 {2}2\/2 {2}decode\/10x8 {2}here .* ns, there .* ns/);
    expect(await readdir(temporary)).toEqual([]);
  });

  it.each([
    [
      ['--compare', 'no-such-revision'],
      '"no-such-revision" is not a commit of this repository: give --compare',
    ],
    [['--compare', 'HEAD', '--only', '^walk/10x8$', '--renamed', 'run=walk'], 'none of the chosen cases'],
  ])('refuses %s', { timeout }, async (args, text) => {
    const { code, err } = await startCompare(...args).ended;
    expect(err).toContain(text);
    expect(code).toBe(2);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('removes its worktree when it is interrupted', { timeout }, async () => {
    const comparison = startCompare('--compare', 'HEAD', '--only', '^walk/10x8$');
    // In the middle of the build, which writes into the worktree.
    await eventually(async () => {
      const [folder = ''] = await readdir(temporary);
      await access(join(temporary, folder, 'tidemark', 'dist', 'core'));
    }, timeout);
    const { code, err } = await comparison.end('SIGINT');
    expect(err).toContain('interrupted');
    expect(code).toBe(130);
    expect(await readdir(temporary)).toEqual([]);
  });
});
