import { NEVER, type Observable, type SchedulerLike, fromEvent, merge, take, timer } from 'rxjs';
import { TidemarkError } from '../core/errors.js';

/** What the process tells its caller: all well, an expectation did not hold, or the call cannot be carried out. */
export const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** A call that cannot be carried out: one sentence that says what, where, and what to do. */
export class CliError extends TidemarkError {
  override readonly name = 'CliError';

  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options);
  }
}

/** Where a command writes: results to `out`, everything else to `err`. `progress` only shows on a terminal. */
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

/** Emits once when the user has seen enough: at Ctrl-C, at SIGTERM, or after so many seconds. */
export function untilSignal(seconds: number | undefined, scheduler: SchedulerLike): Observable<unknown> {
  const over$ = seconds === undefined ? NEVER : timer(seconds * 1000, scheduler);
  return merge(over$, fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(take(1));
}
