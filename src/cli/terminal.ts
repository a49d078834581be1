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
