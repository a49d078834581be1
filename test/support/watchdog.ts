import { RunningProcess } from './processes.js';

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
 * A shell in its own session, so that neither a killed worker nor Ctrl-C leaves a server behind, a stopped one
 * included.
 */
export function startWatchdog(folder: string): Watchdog {
  const shell = new RunningProcess('/bin/sh', ['-c', script, folder], {
    openInput: true,
    background: true,
    detached: true,
  });
  return {
    guard: (pid) => shell.write(`${pid ?? ''}\n`),
    dismiss: async () => {
      await shell.finish('\n');
    },
  };
}
