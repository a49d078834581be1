import { run } from './processes.js';
import { root } from './root.js';

/**
 * Builds before the tests of a lane that needs the build, also when one file is run alone. `tsc -b` compiles what
 * changed, so that nothing is built twice in a run.
 */
export async function setup(): Promise<void> {
  await run('npm', ['run', '--silent', 'build'], { cwd: root });
}
