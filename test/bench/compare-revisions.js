import { execPath, stderr } from 'node:process';
import { CompareError } from './compare-error.js';
import { comparisonOf, pairsOf } from './compare.js';
import { runCommand } from './run-command.js';
import { commitOf, root, withWorktree } from './worktree.js';

/**
 * Measures cases in the working tree and in another commit in turn, so that other load of the machine affects
 * both.
 *
 * 1. Each commit runs its own bench on its own build. Of the other one it needs only `npm run bench -- --list`, and
 *    the options `--only`, `--processes` and `--json` of `test/bench/main.js`, whose output has `results[].values`.
 * 2. Cases are compared by name.
 * 3. `signal` ends what runs. The worktree of the other commit is removed in every case.
 *
 * @param {string} revision
 * @param {readonly import('./cases.js').Case[]} cases
 * @param {{
 *   rounds: number, quick: boolean, suite: string | undefined, server: string | undefined,
 *   renamed: ReadonlyMap<string, string>, signal: AbortSignal,
 * }} how
 * @throws {CompareError} `not-a-commit`, `build-failed`, `no-common-case`
 */
export async function compareRevisions(revision, cases, { rounds, quick, suite, server, renamed, signal }) {
  const commit = await commitOf(revision);
  const shared = [...(suite === undefined ? [] : [suite]), ...(quick ? ['--quick'] : [])];
  return withWorktree(commit, async (folder) => {
    stderr.write(`builds ${revision} (${commit.slice(0, 9)}) in a temporary worktree\n`);
    const { pairs, onlyHere } = pairsOf(cases, await namesIn(folder, revision, shared, signal), renamed);
    if (onlyHere.length > 0)
      stderr.write(`not compared, as ${revision} lacks them: ${onlyHere.join(', ')}\n`);
    if (pairs.length === 0) {
      throw new CompareError(
        'no-common-case',
        `${revision} has none of the chosen cases: choose others with --only, or name those that were renamed with --renamed old=new.`,
      );
    }
    const where = [...shared, ...(server === undefined ? [] : ['--server', server])];
    const values = pairs.map(() => ({ /** @type {number[]} */ here: [], /** @type {number[]} */ there: [] }));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [index, pair] of pairs.entries()) {
        const here = async () => values[index]?.here.push(await valueIn(root, pair.here, where, signal));
        const there = async () => values[index]?.there.push(await valueIn(folder, pair.there, where, signal));
        // Which side comes first alternates too.
        for (const measure of round % 2 === 1 ? [here, there] : [there, here]) await measure();
        const found = values[index];
        stderr.write(
          `round ${round}/${rounds}  ${index + 1}/${pairs.length}  ${pair.here}  here ${found?.here.at(-1)?.toFixed(1)} ${pair.unit}, there ${found?.there.at(-1)?.toFixed(1)} ${pair.unit}\n`,
        );
      }
    }
    return pairs.map((pair, index) => comparisonOf(pair, values[index] ?? { here: [], there: [] }));
  });
}

/**
 * Builds a folder and returns the names of its cases.
 *
 * @param {string} folder
 * @param {string} revision
 * @param {readonly string[]} shared
 * @param {AbortSignal} signal
 */
async function namesIn(folder, revision, shared, signal) {
  try {
    const list = await runCommand('npm', ['run', '--silent', 'bench', '--', ...shared, '--list'], {
      cwd: folder,
      signal,
    });
    return list.split('\n').map((line) => line.split(' ')[0] ?? '');
  } catch (error) {
    signal.throwIfAborted();
    throw new CompareError(
      'build-failed',
      `${revision} does not build with the installed packages, or its bench does not list its cases: choose another revision.\n${error instanceof Error ? error.message : error}`,
    );
  }
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {readonly string[]} where
 * @param {AbortSignal} signal
 * @returns {Promise<number>}
 */
async function valueIn(folder, name, where, signal) {
  const only = `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const args = ['test/bench/main.js', ...where, '--only', only, '--processes', '1', '--json'];
  const { results } = JSON.parse(await runCommand(execPath, args, { cwd: folder, signal }));
  return results[0].values[0];
}
