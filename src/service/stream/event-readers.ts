import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { stringifyJson } from '../../wire/json/json-value.js';
import { ServiceError } from '../service-error.js';

/**
 * Keeps the newest server-sent events with their numbers, so that a reader that missed some can resume. Each event is
 * formatted once, regardless of the number of readers.
 */
export class EventLog {
  /** The number of the newest event; 0 before the first. */
  lastNumber = 0;
  // Numbers are only valid for this process, so ids also contain a random prefix.
  private readonly run = randomBytes(6).toString('hex');
  private readonly kept: string[] = [];

  /** @param limit the number of events to keep */
  constructor(private readonly limit: number) {}

  /** Adds an event and returns its text. */
  append(type: string, data: object): string {
    this.lastNumber += 1;
    const text = this.format(type, data);
    this.kept.push(text);
    if (this.kept.length > this.limit) this.kept.shift();
    return text;
  }

  /** The text of an event that is not kept, with the number of the newest event: a snapshot replaces all events so far. */
  format(type: string, data: object): string {
    return `id: ${this.run}-${this.lastNumber}\nevent: ${type}\ndata: ${stringifyJson(data)}\n\n`;
  }

  /** The number in an id of this log; `null` for any other id. */
  parseId(id: string | undefined): number | null {
    const match = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id ?? '');
    return match?.[1] === this.run ? Number(match[2]) : null;
  }

  /** The text of all events after the given one; `null` if they are no longer kept, or the number is unknown. */
  after(number: number | null): string | null {
    if (number === null || number > this.lastNumber) return null;
    const missed = this.lastNumber - number;
    return missed > this.kept.length ? null : this.kept.slice(this.kept.length - missed).join('');
  }
}

/** Limits for the number of readers, and for how far a reader may be behind. */
export interface ReaderLimits {
  readonly maxReaders: number;
  /** How many bytes may wait for one reader, in addition to the last snapshot or missed events. */
  readonly maxBufferedBytes: number;
  /** How long a reader may be above that limit, in milliseconds. */
  readonly maxBehindMs: number;
}

/** The state of one reader. */
interface Reader {
  /** How many bytes may wait for it. */
  allowance: number;
  /** The number of the last event that was written to it. */
  number: number;
  /** Since when it is behind; `null` while it keeps up. */
  behindSince: number | null;
}

const RECONNECT_MS = 2000;

/**
 * The readers of the event stream. The service never waits for a reader, and the memory for each reader is bounded.
 *
 * 1. A reader is behind when too many bytes wait for it. It then gets no further events until it has read all of them, and
 *    after that the events it missed, or a snapshot if those are no longer kept. A burst therefore disconnects no reader.
 * 2. A reader that stays behind is disconnected. It can reconnect with the id of its last event.
 */
export class EventReaders {
  /** The number of readers that were disconnected because they were too slow. */
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

  /** Checks that another reader may connect. @throws ServiceError if there are too many, or the service is stopping */
  admit(): void {
    if (this.isRefusing)
      throw new ServiceError(503, 'draining', 'The service is stopping; connect to another instance.');
    if (this.readers.size >= this.limits.maxReaders) {
      throw new ServiceError(
        503,
        'too-many-readers',
        `The limit of ${this.readers.size} event streams is reached; poll /busy, or raise maxReaders.`,
      );
    }
  }

  /** Adds a reader: writes the events that it missed, or a snapshot. */
  open(response: ServerResponse, lastEventId: string | undefined): void {
    const reader: Reader = { allowance: 0, number: 0, behindSince: null };
    response.on('close', () => this.readers.delete(response));
    response.on('drain', () => {
      if (reader.behindSince !== null) this.catchUp(response, reader, reader.number);
    });
    // A disconnect is handled by `close`, which follows.
    response.on('error', () => undefined);
    this.readers.set(response, reader);
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    this.catchUp(response, reader, this.log.parseId(lastEventId));
  }

  /** Writes the newest event of the log, or a comment, to every reader that keeps up. */
  write(text: string): void {
    for (const [response, reader] of this.readers) {
      if (reader.behindSince !== null) continue;
      // Only a response that needs to drain emits `drain` when it has been read.
      if (response.writableNeedDrain && response.writableLength > reader.allowance) {
        reader.behindSince = this.now();
      } else {
        response.write(text);
        reader.number = this.log.lastNumber;
      }
    }
  }

  /** Disconnects readers that have been behind for too long. */
  cutSlowReaders(): void {
    for (const [response, { behindSince }] of this.readers) {
      if (behindSince === null || this.now() - behindSince <= this.limits.maxBehindMs) continue;
      this.cutCount += 1;
      this.readers.delete(response);
      response.destroy();
    }
  }

  /** Accepts no more readers. */
  refuse(): void {
    this.isRefusing = true;
  }

  /** Ends all streams in good order, and accepts no more readers. */
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
