import { NEVER, type Observable, type SchedulerLike, fromEvent, merge, take, tap, timer } from 'rxjs';
import { TidemarkError } from '../core/errors.js';

/**
 * Exit codes: success; an expectation does not hold; the command cannot run, or never reached a server; nothing was judged, so
 * it is unknown which workers are busy.
 */
export const exitCode = { ok: 0, failed: 1, cannotRun: 2, unknown: 5 } as const;

/** Invalid usage. The message says what is wrong, where, and what to do. */
export class CliError extends TidemarkError {
  override readonly name = 'CliError';

  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options);
  }
}

/** The output of a command: results go to `out`, everything else to `err`; `progress` only shows on a terminal. */
export interface Terminal {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly progress: (text: string) => void;
}

const CLEAR_LINE = '\r\u001b[K';

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const shows = process.stderr.isTTY;
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${shows ? CLEAR_LINE : ''}${line}\n`),
    progress: (text) => {
      if (shows) process.stderr.write(`${CLEAR_LINE}${text}`);
    },
  };
}

/** How long the output of a command that a signal ended may take to be read. */
const MAX_WRITE_MS = 3_000;
let hasSignal = false;

/** Emits once, on Ctrl-C, on SIGTERM, or after the given number of seconds. */
export function untilSignal(seconds: number | undefined, scheduler: SchedulerLike): Observable<unknown> {
  const elapsed$ = seconds === undefined ? NEVER : timer(seconds * 1000, scheduler);
  const signal$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));
  return merge(elapsed$, signal$.pipe(tap(() => (hasSignal = true)))).pipe(take(1));
}

/**
 * Ends the process after a command that a signal ended: as soon as its output has been written, and in any case after
 * three seconds, because the reader of a full pipe may never read.
 */
export function exitAfterSignal(): void {
  if (hasSignal) setTimeout(() => process.exit(), MAX_WRITE_MS).unref();
}
