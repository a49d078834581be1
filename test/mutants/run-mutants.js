/**
 * Breaks one rule at a time, as the patches beside this file say, and demands that the test that is named after the
 * rule notices. Caught means: the patch applies, the build passes, and that test fails.
 *
 * Usage: node test/mutants/run-mutants.js [part of a name]…
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const wanted = process.argv.slice(2);
const patches = readdirSync(here)
  .filter((file) => file.endsWith('.patch'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
const copy = copyOfTheRepository();
const escaped = [];
try {
  run('npx', ['tsc', '-b']);
  for (const [index, patch] of patches.entries()) {
    const verdict = judge(join(here, patch));
    process.stdout.write(`${index + 1}/${patches.length} ${patch.replace('.patch', '')}: ${verdict}\n`);
    if (verdict !== 'caught') escaped.push(patch);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(`${patches.length - escaped.length} of ${patches.length} caught\n`);
process.exitCode = escaped.length === 0 && patches.length > 0 ? 0 : 1;

/** @param {string} patch */
function judge(patch) {
  const text = readFileSync(patch, 'utf8');
  const [, test = ''] = /^Test: (.*)$/m.exec(text) ?? [];
  const titles = [...text.matchAll(/^Fails: (.*)$/gm)].map(([, title = '']) => title);
  if (test === '' || titles.length === 0) return 'has no lines "Test:" and "Fails:"';
  if (run('git', ['apply', patch]).status !== 0) return 'does not apply';
  try {
    if (run('npx', ['tsc', '-b']).status !== 0) return 'does not build';
    const outcome = run('npx', [
      'vitest',
      'run',
      '--config',
      'test/vitest.config.ts',
      '--reporter',
      'json',
      test,
    ]);
    const failed = failedTests(outcome.stdout);
    const passed = titles.filter((title) => !failed.some((name) => name.includes(title)));
    return passed.length === 0 ? 'caught' : `escaped: "${passed.join('", "')}" passes`;
  } finally {
    run('git', ['apply', '--reverse', patch]);
  }
}

/** @param {string} stdout */
function failedTests(stdout) {
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.lastIndexOf('}') + 1));
  return report.testResults
    .flatMap((/** @type {{ assertionResults: unknown[] }} */ file) => file.assertionResults)
    .filter((/** @type {{ status: string }} */ one) => one.status === 'failed')
    .map((/** @type {{ fullName: string }} */ one) => one.fullName);
}

/** Everything but what git does not know, with the installed packages linked. */
function copyOfTheRepository() {
  const target = mkdtempSync(join(tmpdir(), 'tidemark-mutants-'));
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of new Set(files.split('\0'))) {
    if (file !== '') cpSync(join(root, file), join(target, file), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
  return target;
}

/** @param {string} command @param {string[]} args */
function run(command, args) {
  return spawnSync(command, args, { cwd: copy, encoding: 'utf8', maxBuffer: 2 ** 28 });
}
