import type { AgeAccount } from './load-account.js';
import type { LoadHead } from './load-head.js';

/** The range of ages over an interval, kept without an allocation for each. */
export class AgeRange {
  /** The wall time of receipt. */
  wall = 0;
  private messages = 0;
  private min = Infinity;
  private last = 0;
  private max = -Infinity;
  private skewed = 0;

  add({ publishedAt }: LoadHead): void {
    const age = this.wall - publishedAt;
    this.messages += 1;
    this.last = age;
    if (age < this.min) this.min = age;
    if (age > this.max) this.max = age;
    if (age < 0) this.skewed += 1;
  }

  clear(): void {
    this.messages = 0;
    this.min = Infinity;
    this.max = -Infinity;
    this.skewed = 0;
  }

  account(): AgeAccount | null {
    const { messages, min, last, max, skewed } = this;
    return messages === 0 ? null : { messages, min, last, max, skewed };
  }
}
