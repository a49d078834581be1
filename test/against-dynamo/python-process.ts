import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWatchdog } from '../support/watchdog.js';

/** Where the servers are that a process of Dynamo is to use. */
export interface Servers {
  readonly nats: { readonly url: string };
  readonly etcd: { readonly url: string };
}

/** A process of Dynamo's Python packages, in a temporary folder of its own that is its home as well. */
export class PythonProcess implements AsyncDisposable {
  /** What it wrote, both streams. */
  log = '';
  /** Standard output alone, in lines. */
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
    // Who writes to a process that is gone reads why in its log.
    this.child.stdin.on('error', () => undefined);
  }

  /** Throws what it wrote when it is gone, for whoever waits for more. */
  check(): void {
    if (this.exited) throw new Error(`a process of Dynamo ended:\n${this.log.slice(-5000)}`);
  }

  say(line: string): void {
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
