import { join } from 'node:path';
import { RunningProcess, type Finished } from './processes.js';
import { root } from './root.js';

const main = join(root, 'dist/cli/main.js');

/** Runs the built command line in the repository and waits for its end. */
export async function runCli(
  args: readonly string[],
  { input = '', signal, env = {} }: { input?: string; signal?: NodeJS.Signals; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const cli = startCli(args, env, input);
  if (signal !== undefined) {
    // The first line of output shows that the command has something that a signal can end.
    await cli.wrote;
    cli.signal(signal);
  }
  return cli.ended;
}

/** Starts the built command line in the repository. */
export function startCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  input?: string,
): RunningProcess {
  return new RunningProcess(process.execPath, [main, ...args], {
    cwd: root,
    env,
    ...(input !== undefined && { input }),
  });
}

/** The JSON objects of an output, one a line. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
