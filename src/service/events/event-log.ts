import { randomBytes } from 'node:crypto';
import { jsonText } from '../../wire/json-text.js';

/**
 * The newest events, numbered, so that a reader that missed some goes on where it was. Each is written as text once,
 * however many read it.
 */
export class EventLog {
  /** The number of the newest event; 0 before the first. */
  last = 0;
  // A number says nothing to another process than the one that gave it.
  private readonly run = randomBytes(6).toString('hex');
  private readonly kept: string[] = [];

  /** @param limit how many events are kept */
  constructor(private readonly limit: number) {}

  /** Adds an event and returns it as it goes over the wire. */
  append(type: string, data: object): string {
    this.last += 1;
    const text = this.textOf(type, data);
    this.kept.push(text);
    if (this.kept.length > this.limit) this.kept.shift();
    return text;
  }

  /** A state that stands for all events so far. */
  textOf(type: string, data: object): string {
    return `id: ${this.run}-${this.last}\nevent: ${type}\ndata: ${jsonText(data)}\n\n`;
  }

  /** The number in an id of ours, `null` of any other. */
  numberOf(id: string | undefined): number | null {
    const match = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id ?? '');
    return match?.[1] === this.run ? Number(match[2]) : null;
  }

  /** What came after an event as one text, or `null` when that is not known any more, or never was. */
  after(number: number | null): string | null {
    if (number === null || number > this.last) return null;
    const missed = this.last - number;
    return missed > this.kept.length ? null : this.kept.slice(this.kept.length - missed).join('');
  }
}
