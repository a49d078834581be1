import { execPath, stderr } from 'node:process';
import { fileURLToPath, URL } from 'node:url';
import { runCommand } from './run-command.js';

const main = fileURLToPath(new URL('main.js', import.meta.url));

/** @typedef {{ quick: boolean, suite?: string | undefined, server?: string | undefined }} CaseRun */

/**
 * Runs each case in separate processes, round by round, so that other load of the machine affects all of
 * them. Two cases in one process would slow each other down through shared inline caches.
 *
 * @param {readonly import('./cases.js').Case[]} cases
 * @param {(round: number, values: ReadonlyMap<string, readonly number[]>) => readonly import('./cases.js').Case[]} roundOf
 *   the cases of a round, counted from 1, after the values of the rounds before; none ends the run
 * @param {CaseRun} how
 * @returns {Promise<Map<string, number[]>>} for each case, its value of every round
 */
export async function runProcesses(cases, roundOf, how) {
  const values = new Map(cases.map(({ name }) => [name, /** @type {number[]} */ ([])]));
  for (let round = 1; ; round += 1) {
    const chosen = roundOf(round, values);
    if (chosen.length === 0) return values;
    for (const [index, { name, unit }] of chosen.entries()) {
      const value = await runOne(name, how);
      values.get(name)?.push(value);
      stderr.write(`round ${round}  ${index + 1}/${chosen.length}  ${name}  ${value.toFixed(1)} ${unit}\n`);
    }
  }
}

/**
 * @param {string} name
 * @param {CaseRun} how
 * @returns {Promise<number>}
 */
async function runOne(name, { quick, suite, server }) {
  const args = [
    '--expose-gc',
    // Helper threads of the collector count as processor time, and more so on a loaded machine.
    ...(suite === 'gate' ? ['--single-threaded-gc'] : []),
    main,
    ...(suite === undefined ? [] : [suite]),
    '--run',
    name,
    ...(quick ? ['--quick'] : []),
    ...(server === undefined ? [] : ['--server', server]),
  ];
  const value = Number.parseFloat(await runCommand(execPath, args));
  if (!Number.isFinite(value)) throw new Error(`${name} printed no number`);
  return value;
}
