import { setTimeout as sleep } from 'node:timers/promises';
import { openHandles } from '../support/open-handles.js';

/** Detects what a soak leaves behind in this process. */
export class ProcessWatch {
  readonly unhandled: string[] = [];
  readonly #before = openHandles();
  readonly #note = (error: unknown): number => this.unhandled.push(String(error));
  #listeners = '';

  constructor() {
    for (const name of EVENTS) process.on(name, this.#note);
  }

  /** Call after the first use of all libraries: they may add listeners to the process before, but not after. */
  start(): void {
    this.#listeners = listenerCounts();
  }

  /** Closes everything, and returns what is left, in words. */
  async leaks(close: () => Promise<void>): Promise<string[]> {
    const leaks = await failureOf(close);
    if (!(await this.#settles())) leaks.push(`handles: ${JSON.stringify(openHandles())}`);
    if (listenerCounts() !== this.#listeners) leaks.push(`listeners of the process: ${listenerCounts()}`);
    for (const name of EVENTS) process.off(name, this.#note);
    return leaks;
  }

  /** Waits until no more handles are open than before. Returns whether that happened. */
  async #settles(): Promise<boolean> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { sockets, listeners, timers } = openHandles();
      const before = this.#before;
      if (sockets <= before.sockets && listeners <= before.listeners && timers <= before.timers) return true;
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
