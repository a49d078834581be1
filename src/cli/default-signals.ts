/** The exit codes of a process that a signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Gives SIGINT and SIGTERM their default action when this is the first process of a container.
 *
 * The kernel discards a signal without a handler for such a process, so a signal that arrives while the command loads, or
 * a second one, would be lost. Every other process has the default action already. A handler that a command adds comes
 * first. This file imports nothing, so that it can run before anything else is loaded.
 */
export function setDefaultSignals(): void {
  if (process.pid !== 1) return;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(exitCodes[signal]);
    });
  }
}
