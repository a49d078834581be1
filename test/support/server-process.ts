import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { eventually } from './eventually.js';
import { serverBinary, type ServerName } from './server-binary.js';
import { startWatchdog } from './watchdog.js';

const START_MS = 30_000;
const LOG_SIZE = 100_000;

/** A server that a test runs, in a temporary folder of its own. */
export class ServerProcess {
  readonly folder: string;
  private child: ChildProcess | undefined;
  private logged = '';
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
    return this.logged;
  }

  /** Starts the server and waits until it has written `readyLine`; it fails with what it wrote instead. */
  async start(args: readonly string[], readyLine: RegExp): Promise<void> {
    if (this.child !== undefined) throw new Error(`${this.server} runs already`);
    const found = await serverBinary(this.server);
    if ('missing' in found) throw new Error(found.missing);
    const child = spawn(found.path, args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.logged = '';
    for (const stream of [child.stdout, child.stderr]) {
      (stream as Socket).unref();
      stream.on('data', (chunk: Buffer) => (this.logged = (this.logged + chunk.toString()).slice(-LOG_SIZE)));
    }
    child.unref();
    let ended: string | undefined;
    child.once('error', (error) => (ended = error.message));
    child.once('exit', (code, signal) => {
      ended = `ended with ${signal ?? code}`;
      this.watchdog.guard(undefined);
    });
    this.watchdog.guard(child.pid);
    try {
      await eventually(() => ended !== undefined || readyLine.test(this.logged), START_MS);
    } catch (error) {
      await this.kill();
      throw new Error(`${this.server} did not become ready:\n${this.logged}`, { cause: error });
    }
    if (ended === undefined) return;
    this.child = undefined;
    // The last output may arrive after the end of the process.
    await eventually(() => child.stdout.closed && child.stderr.closed);
    throw new Error(`${this.server} ${ended}:\n${this.logged}`);
  }

  /** Ends the server at once, if it runs, and waits for its end. */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** Pauses the server; its connections stay. Resolves when it is paused. */
  async pause(): Promise<void> {
    const child = this.running();
    child.kill('SIGSTOP');
    await eventually(() => isStopped(this.pid));
  }

  resume(): void {
    this.running().kill('SIGCONT');
  }

  /** Ends the server and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await this.watchdog.dismiss();
  }

  private running(): ChildProcess {
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
