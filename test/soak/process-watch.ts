import { setTimeout as sleep } from 'node:timers/promises';
import { openHandles } from '../support/open-handles.js';

/** What this process is left with after a soak: nothing, that is to say. */
export class ProcessWatch {
  readonly unhandled: string[] = [];
  readonly #before = openHandles();
  readonly #note = (error: unknown): number => this.unhandled.push(String(error));
  #listeners = '';

  constructor() {
    for (const name of EVENTS) process.on(name, this.#note);
  }

  /** Libraries add listeners to the process when they are first used, and none from here on. */
  begun(): void {
    this.#listeners = listenerCounts();
  }

  /** Closes everything, and says in words what stays all the same. */
  async leaks(close: () => Promise<void>): Promise<string[]> {
    const leaks = await failureOf(close);
    if (!(await this.#settles())) leaks.push(`handles: ${JSON.stringify(openHandles())}`);
    if (listenerCounts() !== this.#listeners) leaks.push(`listeners of the process: ${listenerCounts()}`);
    for (const name of EVENTS) process.off(name, this.#note);
    return leaks;
  }

  /** Whether no more is open than was, soon; who asks has no timer of its own meanwhile. */
  async #settles(): Promise<boolean> {
    for (let left = 100; left > 0; left -= 1) {
      const { sockets, listeners, timers } = openHandles();
      const { sockets: mostSockets, listeners: mostListeners, timers: mostTimers } = this.#before;
      if (sockets <= mostSockets && listeners <= mostListeners && timers <= mostTimers) return true;
      await sleep(100);
    }
    return false;
  }
}

const EVENTS = ['unhandledRejection', 'uncaughtException', 'warning'] as const;

async function failureOf(close: () => Promise<void>): Promise<string[]> {
  try {
    await close();
    return [];
  } catch (error) {
    return [error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)];
  }
}

function listenerCounts(): string {
  return process
    .eventNames()
    .map((name) => `${String(name)} ${process.listenerCount(name)}`)
    .sort()
    .join(', ');
}
