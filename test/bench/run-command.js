import { spawn } from 'node:child_process';
import { kill } from 'node:process';

/**
 * Runs a command and returns its standard output.
 *
 * 1. It rejects with the exit code and the standard error when the command fails.
 * 2. `signal` ends the command and everything that it started, and it rejects with the signal's reason after their end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, signal?: AbortSignal }} [options]
 * @returns {Promise<string>}
 */
export function runCommand(command, args, { cwd, signal } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    // A separate process group, so that a build or a case ends together with what it started.
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const end = () => {
      try {
        if (child.pid !== undefined) kill(-child.pid, 'SIGTERM');
      } catch {
        // The group ended already.
      }
    };
    signal?.addEventListener('abort', end, { once: true });
    child.on('error', reject);
    child.on('close', (code) => {
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(signal.reason);
      else if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(' ')} ended with exit code ${code}:\n${err}${out}`));
    });
  });
}
