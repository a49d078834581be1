import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { stringifyJson } from '../../wire/json/json-value.js';
import { ServiceError } from '../service-error.js';

/**
 * The newest events, numbered, so that a reader that missed some goes on where it was. Each is written as text once,
 * however many read it.
 */
export class EventLog {
  /** The number of the newest event; 0 before the first. */
  lastNumber = 0;
  // A number says nothing to another process than the one that gave it.
  private readonly run = randomBytes(6).toString('hex');
  private readonly kept: string[] = [];

  /** @param limit how many events are kept */
  constructor(private readonly limit: number) {}

  /** Adds an event and returns it as it goes over the wire. */
  append(type: string, data: object): string {
    this.lastNumber += 1;
    const text = this.format(type, data);
    this.kept.push(text);
    if (this.kept.length > this.limit) this.kept.shift();
    return text;
  }

  /** A state that stands for all events so far. */
  format(type: string, data: object): string {
    return `id: ${this.run}-${this.lastNumber}\nevent: ${type}\ndata: ${stringifyJson(data)}\n\n`;
  }

  /** The number in an id of ours, `null` of any other. */
  parseId(id: string | undefined): number | null {
    const match = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id ?? '');
    return match?.[1] === this.run ? Number(match[2]) : null;
  }

  /** What came after an event as one text, or `null` when that is not known any more, or never was. */
  after(number: number | null): string | null {
    if (number === null || number > this.lastNumber) return null;
    const missed = this.lastNumber - number;
    return missed > this.kept.length ? null : this.kept.slice(this.kept.length - missed).join('');
  }
}

/** How many readers there may be, and how far behind. */
export interface ReaderLimits {
  readonly maxReaders: number;
  /** How much may wait for one reader, besides what it was told last as a whole. */
  readonly maxBufferedBytes: number;
  /** How long a reader may take to read what waits for it once that is too much. */
  readonly maxBehindMs: number;
}

/** Where one reader is. */
interface Reader {
  /** How much may wait for it. */
  allowance: number;
  /** The number of the last event that was written to it. */
  number: number;
  /** Since when too much waits for it; `null` while it keeps up. */
  behindSince: number | null;
}

const RECONNECT_MS = 2000;

/**
 * Who reads the events. Nobody is waited for, and what waits for a reader is bounded.
 *
 * 1. A reader for which too much waits is behind: it is written nothing more. Once it has read all of it, it gets what
 *    it missed, or a snapshot where that is not kept any more. So a burst costs no reader its connection.
 * 2. One that stays behind is cut. It may come again with the number of its last event.
 */
export class EventReaders {
  /** How many were cut because they were too slow. */
  cutCount = 0;
  private readonly readers = new Map<ServerResponse, Reader>();
  private isRefusing = false;

  constructor(
    private readonly log: EventLog,
    private readonly snapshot: () => object,
    private readonly limits: ReaderLimits,
    private readonly now: () => number,
  ) {}

  get size(): number {
    return this.readers.size;
  }

  /** @throws ServiceError when there are too many, or the service is ending */
  admit(): void {
    if (this.isRefusing)
      throw new ServiceError(503, 'draining', 'The service is ending; read from another one.');
    if (this.readers.size >= this.limits.maxReaders) {
      throw new ServiceError(
        503,
        'too-many-readers',
        `There are ${this.readers.size} readers of events already, and no more are taken; poll /busy, or raise maxReaders.`,
      );
    }
  }

  /** Begins to write to a reader: what it missed, or all there is. */
  open(response: ServerResponse, lastEventId: string | undefined): void {
    const reader: Reader = { allowance: 0, number: 0, behindSince: null };
    response.on('close', () => this.readers.delete(response));
    response.on('drain', () => {
      if (reader.behindSince !== null) this.catchUp(response, reader, reader.number);
    });
    // Who is gone is noticed at the close; there is nobody to tell.
    response.on('error', () => undefined);
    this.readers.set(response, reader);
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    this.catchUp(response, reader, this.log.parseId(lastEventId));
  }

  /** Writes the newest event of the log, or what is no event and may be left out. */
  write(text: string): void {
    for (const [response, reader] of this.readers) {
      if (reader.behindSince !== null) continue;
      // Only a response that says so will tell when it has been read.
      if (response.writableNeedDrain && response.writableLength > reader.allowance) {
        reader.behindSince = this.now();
      } else {
        response.write(text);
        reader.number = this.log.lastNumber;
      }
    }
  }

  /** Cuts who has been behind for too long. */
  cutSlowReaders(): void {
    for (const [response, { behindSince }] of this.readers) {
      if (behindSince === null || this.now() - behindSince <= this.limits.maxBehindMs) continue;
      this.cutCount += 1;
      this.readers.delete(response);
      response.destroy();
    }
  }

  /** Takes no more of them. */
  refuse(): void {
    this.isRefusing = true;
  }

  /** Ends all of them, in good order, and takes no more. */
  close(): void {
    this.refuse();
    for (const response of this.readers.keys()) response.end();
    this.readers.clear();
  }

  private catchUp(response: ServerResponse, reader: Reader, number: number | null): void {
    const text = this.log.after(number) ?? this.log.format('snapshot', this.snapshot());
    reader.behindSince = null;
    reader.number = this.log.lastNumber;
    reader.allowance = this.limits.maxBufferedBytes + Buffer.byteLength(text);
    if (text !== '') response.write(text);
  }
}
