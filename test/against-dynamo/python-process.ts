import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { startWatchdog } from '../support/watchdog.js';

/** The servers that a process of Dynamo uses. */
export interface Servers {
  readonly nats: { readonly url: string };
  readonly etcd: { readonly url: string };
}

/** A process of Dynamo's Python packages. Its working folder and home is a temporary folder. */
export class PythonProcess implements AsyncDisposable {
  /** The output of both streams. */
  log = '';
  /** The lines of standard output. */
  readonly lines: string[] = [];
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly watchdog;
  private exited = false;

  constructor(python: string, args: readonly string[], { nats, etcd }: Servers) {
    const home = mkdtempSync(join(tmpdir(), 'tidemark-dynamo-'));
    this.watchdog = startWatchdog(home);
    const env = {
      ...{ HOME: home, PATH: process.env['PATH'] ?? '', NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url },
      ...{ DYN_EVENT_PLANE: 'nats', DYN_SDK_DISABLE_ANSI_LOGGING: '1', HF_HUB_OFFLINE: '1' },
      DYN_LOG: 'info,dynamo_llm::discovery::worker_monitor=debug',
    };
    this.child = spawn(python, args, { cwd: home, env, stdio: 'pipe' });
    this.watchdog.guard(this.child.pid);
    this.child.once('exit', () => (this.exited = true));
    this.child.once('error', ({ message }) => {
      this.exited = true;
      this.log += message;
    });
    this.child.stderr.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    let rest = '';
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
    // The reason for a failed write is in the log.
    this.child.stdin.on('error', () => undefined);
  }

  /** Throws an error with the log if the process has ended. */
  check(): void {
    if (this.exited) throw new Error(`a process of Dynamo ended:\n${this.log.slice(-5000)}`);
  }

  /** The object in the n-th line of standard output that contains one; the first is 0. */
  answer(n: number): Promise<unknown> {
    return eventually(() => {
      this.check();
      const line = this.lines.filter((text) => text.startsWith('{'))[n];
      if (line === undefined) throw new Error(this.log.slice(-5000));
      return JSON.parse(line) as unknown;
    }, 60_000);
  }

  write(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.exited) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exit;
    }
    this.watchdog.guard(undefined);
    await this.watchdog.dismiss();
  }
}
