import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import { CompareError } from './compare-error.js';
import { runCommand } from './run-command.js';

/** The folder of the working tree. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The id of a commit.
 *
 * @param {string} revision
 * @throws {CompareError} `not-a-commit`
 */
export async function commitOf(revision) {
  try {
    const id = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]);
    return id.trim();
  } catch {
    throw new CompareError(
      'not-a-commit',
      `"${revision}" is not a commit of this repository: give --compare a branch, a tag or a commit id, as in --compare HEAD~1.`,
    );
  }
}

/**
 * Calls `use` with a temporary worktree of a commit, which has the packages of the working tree, and removes it
 * afterwards in any case.
 *
 * @template T
 * @param {string} commit
 * @param {(folder: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withWorktree(commit, use) {
  const parent = await mkdtemp(join(tmpdir(), 'tidemark-compare-'));
  const folder = join(parent, 'tidemark');
  try {
    await git(['worktree', 'add', '--detach', '--quiet', folder, commit]);
    try {
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      return await use(folder);
    } finally {
      await git(['worktree', 'remove', '--force', folder]);
    }
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

/** @param {readonly string[]} args */
function git(args) {
  return runCommand('git', args, { cwd: root });
}
