import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { RunningProcess } from './processes.js';
import { serverBinary, type ServerName } from './server-binary.js';
import { startWatchdog } from './watchdog.js';

/** A server that a test runs, in its own temporary folder. */
export class ServerProcess {
  readonly folder: string;
  private child: RunningProcess | undefined;
  /** The one that was started last, whether it runs or not. */
  private last: RunningProcess | undefined;
  private readonly watchdog;

  constructor(private readonly server: ServerName) {
    this.folder = mkdtempSync(join(tmpdir(), `tidemark-${server}-`));
    this.watchdog = startWatchdog(this.folder);
  }

  get pid(): number {
    const { pid } = this.running();
    if (pid === undefined) throw new Error(`${this.server} did not start`);
    return pid;
  }

  /** What the server wrote since it was last started. */
  get log(): string {
    return this.last === undefined ? '' : this.last.out + this.last.err;
  }

  /** Starts the server and waits until it has written `readyLine`; it fails with what it wrote instead. */
  async start(args: readonly string[], readyLine: RegExp): Promise<void> {
    if (this.child !== undefined) throw new Error(`${this.server} runs already`);
    const found = await serverBinary(this.server);
    if ('missing' in found) throw new Error(found.missing);
    const child = new RunningProcess(found.path, args, { cwd: this.folder, background: true });
    this.child = child;
    this.last = child;
    void child.ended.then(() => this.watchdog.guard(undefined));
    this.watchdog.guard(child.pid);
    try {
      await eventually(() => child.finished !== undefined || readyLine.test(this.log));
    } catch (error) {
      await this.kill();
      throw new Error(`${this.server} did not become ready:\n${this.log}`, { cause: error });
    }
    if (child.finished === undefined) return;
    this.child = undefined;
    const { code, signal, failure } = child.finished;
    throw new Error(`${this.server} ${failure ?? `ended with ${signal ?? code}`}:\n${this.log}`);
  }

  /** Ends the server at once, if it runs, and waits for its end. */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    await child?.end('SIGKILL');
  }

  /** Pauses the server; its connections stay. Resolves when it is paused. */
  async pause(): Promise<void> {
    const child = this.running();
    child.signal('SIGSTOP');
    await eventually(() => isStopped(this.pid));
  }

  resume(): void {
    this.running().signal('SIGCONT');
  }

  /** Ends the server and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await this.watchdog.dismiss();
  }

  private running(): RunningProcess {
    if (this.child === undefined) throw new Error(`${this.server} does not run`);
    return this.child;
  }
}

/** Whether the system reports every thread as stopped, because a signal takes effect only after it is sent. */
function isStopped(pid: number): boolean {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return true;
  }
  return threads.every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')')).startsWith(') T');
  });
}
