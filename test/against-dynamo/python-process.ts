import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { RunningProcess } from '../support/processes.js';
import { startWatchdog } from '../support/watchdog.js';

/** The servers that a process of Dynamo uses. */
export interface Servers {
  readonly nats: { readonly url: string };
  readonly etcd: { readonly url: string };
}

/** A process of Dynamo's Python packages. Its working folder and home is a temporary folder. */
export class PythonProcess implements AsyncDisposable {
  private readonly child: RunningProcess;
  private readonly watchdog;

  constructor(python: string, args: readonly string[], { nats, etcd }: Servers) {
    const home = mkdtempSync(join(tmpdir(), 'tidemark-dynamo-'));
    this.watchdog = startWatchdog(home);
    const env = {
      ...{ HOME: home, PATH: process.env['PATH'] ?? '', NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url },
      ...{ DYN_EVENT_PLANE: 'nats', DYN_SDK_DISABLE_ANSI_LOGGING: '1', HF_HUB_OFFLINE: '1' },
      DYN_LOG: 'info,dynamo_llm::discovery::worker_monitor=debug',
    };
    this.child = new RunningProcess(python, args, { cwd: home, env, extendEnv: false, openInput: true });
    this.watchdog.guard(this.child.pid);
  }

  /** The output, standard output first. */
  get log(): string {
    return this.child.out + this.child.err + (this.child.finished?.failure ?? '');
  }

  /** The lines of standard output. */
  get lines(): string[] {
    return this.child.lines;
  }

  /** Throws an error with the log if the process has ended. */
  check(): void {
    if (this.child.finished !== undefined)
      throw new Error(`a process of Dynamo ended:\n${this.log.slice(-5000)}`);
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
    this.child.write(`${line}\n`);
  }

  /** Closes its standard input, and waits for its end. */
  async finish(): Promise<void> {
    await this.child.finish('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.end('SIGKILL');
    this.watchdog.guard(undefined);
    await this.watchdog.dismiss();
  }
}
