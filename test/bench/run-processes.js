import { spawn } from 'node:child_process';
import { execPath, stderr } from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const main = fileURLToPath(new URL('main.js', import.meta.url));

/**
 * Runs each case in processes of its own, round by round, so that what the machine does meanwhile falls on all of
 * them. Two cases in one process would slow each other down through shared inline caches.
 *
 * @param {readonly import('./cases.js').Case[]} cases
 * @param {{ rounds: number, quick: boolean, suite?: string | undefined, server?: string | undefined }} how
 * @returns {Promise<Map<string, number[]>>} for each case, its value of every round
 */
export async function runProcesses(cases, { rounds, ...how }) {
  const values = new Map(cases.map(({ name }) => [name, /** @type {number[]} */ ([])]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, { name, unit }] of cases.entries()) {
      const value = await runOne(name, how);
      values.get(name)?.push(value);
      stderr.write(
        `round ${round}/${rounds}  ${index + 1}/${cases.length}  ${name}  ${value.toFixed(1)} ${unit}\n`,
      );
    }
  }
  return values;
}

/**
 * @param {string} name
 * @param {{ quick: boolean, suite?: string | undefined, server?: string | undefined }} how
 * @returns {Promise<number>}
 */
function runOne(name, { quick, suite, server }) {
  const args = [
    '--expose-gc',
    main,
    ...(suite === undefined ? [] : [suite]),
    '--run',
    name,
    ...(quick ? ['--quick'] : []),
    ...(server === undefined ? [] : ['--server', server]),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (data) => (out += data));
    child.on('error', reject);
    child.on('close', (code) => {
      const value = Number.parseFloat(out);
      if (code === 0 && Number.isFinite(value)) resolve(value);
      else reject(new Error(`${name} ended with exit code ${code}`));
    });
  });
}
