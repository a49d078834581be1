import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** What a run of the command line came to. */
export interface CliRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export const root = join(import.meta.dirname, '../..');

/** Runs the built command line in the repository and waits for its end. */
export function runCli(
  args: readonly string[],
  { input = '', signal, env = {} }: { input?: string; signal?: NodeJS.Signals; env?: NodeJS.ProcessEnv } = {},
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
      cwd: root,
      env: { ...process.env, ...env },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      // The first line out says that the command is at work, which is when a signal has something to end.
      if (out === '' && signal !== undefined) child.kill(signal);
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
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
