import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';

/** Ends a server and removes its folder when the process of the tests has ended for any reason. */
export interface Watchdog {
  /** The server to end, or nothing while none runs, because its process id may be reused. */
  guard(pid: number | undefined): void;
  /** Removes the folder and leaves. */
  dismiss(): Promise<void>;
}

/** Reads process ids until the other end of the pipe closes; the last one counts. */
const script = 'while read -r line; do pid=$line; done; [ -z "$pid" ] || kill -9 "$pid"; rm -rf "$0"';

/**
 * A shell in a session of its own, so that neither a killed worker nor Ctrl-C leaves a server behind, a stopped one
 * included.
 */
export function startWatchdog(folder: string): Watchdog {
  const shell = spawn('/bin/sh', ['-c', script, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const exit = once(shell, 'exit');
  shell.unref();
  (shell.stdin as Socket).unref();
  // If the shell was ended, its caller removes the folder.
  shell.stdin.on('error', () => undefined);
  return {
    guard: (pid) => {
      shell.stdin.write(`${pid ?? ''}\n`);
    },
    dismiss: async () => {
      shell.ref();
      if (!shell.stdin.writableEnded) shell.stdin.end('\n');
      await exit;
    },
  };
}
