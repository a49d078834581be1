import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Socket } from 'node:net';
import { execa, execaSync, type Options } from 'execa';

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests, unless `extendEnv` is `false`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly extendEnv?: boolean;
  /** The whole standard input; empty when absent. */
  readonly input?: string;
}

export interface StartOptions extends ProcessOptions {
  /** The process does not keep the process of the tests alive. */
  readonly background?: boolean;
  /** Its standard input stays open, for `write` and `finish`. */
  readonly openInput?: boolean;
  /** Its standard error is shown on ours as well. */
  readonly showErrors?: boolean;
  /** The process has its own session, so that it outlives the process of the tests. */
  readonly detached?: boolean;
}

/** The result of a process. */
export interface Finished {
  /** `null` where a signal ended it, or where it did not start. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
  /** Why it did not start, if it did not. */
  readonly failure?: string;
}

/** A process that runs until it ends or is ended, with what it has written so far. */
export class RunningProcess implements AsyncDisposable {
  out = '';
  err = '';
  /** Its result; `undefined` while it runs. */
  finished: Finished | undefined;
  /** Resolves when it has ended and its outputs are complete; never rejects. */
  readonly ended: Promise<Finished>;
  /** Resolves with its first standard output, or with its end. */
  readonly wrote: Promise<unknown>;
  readonly #child;

  constructor(command: string, args: readonly string[], options: StartOptions = {}) {
    const { background = false, detached = false, openInput = false, showErrors = false } = options;
    const child = execa(command, args, {
      ...common(options),
      ...(openInput && { stdin: 'pipe' as const }),
      buffer: false,
      reject: false,
      detached,
      cleanup: !detached && !background,
      // A signal is exactly what the test sends.
      forceKillAfterDelay: false,
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    if (showErrors) child.stderr.on('data', (text: string) => process.stderr.write(text));
    // Writing to a process that has ended does not fail the test.
    child.stdin?.on('error', () => undefined);
    this.#child = child;
    if (background) this.#hold(false);
    this.ended = child.then(({ exitCode, signal, originalMessage }) => {
      const failure = exitCode === undefined && signal === undefined ? originalMessage : undefined;
      this.finished = {
        code: exitCode ?? null,
        signal: signal ?? null,
        out: this.out,
        err: this.err,
        ...(failure !== undefined && { failure }),
      };
      return this.finished;
    });
    this.wrote = Promise.race([once(child.stdout, 'data').catch(() => undefined), this.ended]);
  }

  /** `undefined` where it did not start. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The lines of the standard output that are complete. */
  get lines(): string[] {
    return this.out.split('\n').slice(0, -1);
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Writes the last of its input, and waits for its end. */
  finish(text: string): Promise<Finished> {
    this.#hold(true);
    const input = this.#child.stdin;
    if (input?.writableEnded === false) input.end(text);
    return this.ended;
  }

  /** Sends a signal, if it still runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.finished === undefined) this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Finished> {
    this.#hold(true);
    this.signal(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Whether the process of the tests stays alive for it. */
  #hold(held: boolean): void {
    const { stdin, stdout, stderr } = this.#child as {
      readonly stdin: unknown;
      readonly stdout: Readable;
      readonly stderr: Readable;
    };
    const switchOf = held ? ('ref' as const) : ('unref' as const);
    this.#child[switchOf]();
    for (const stream of [stdin, stdout, stderr]) (stream as Socket | null)?.[switchOf]();
  }
}

/** Runs a program to its end, whatever its exit code. */
export function outcomeOf(
  command: string,
  args: readonly string[],
  options?: ProcessOptions,
): Promise<Finished> {
  return new RunningProcess(command, args, options).ended;
}

/** Runs a program and returns what it wrote to standard output; an exit code other than 0 is an error. */
export async function run(
  command: string,
  args: readonly string[],
  options: ProcessOptions & { readonly timeout?: number } = {},
): Promise<string> {
  const { timeout, ...rest } = options;
  return (await execa(command, args, { ...common(rest), ...(timeout !== undefined && { timeout }) })).stdout;
}

/** Like `run`, for code that cannot wait. */
export function runSync(command: string, args: readonly string[], options: ProcessOptions = {}): string {
  return execaSync(command, args, common(options)).stdout;
}

function common({ cwd, env, extendEnv, input }: ProcessOptions) {
  return {
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    ...(extendEnv !== undefined && { extendEnv }),
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    stdout: 'pipe' as const,
    stderr: 'pipe' as const,
    stripFinalNewline: false,
    maxBuffer: 2 ** 28,
  } satisfies Options;
}
