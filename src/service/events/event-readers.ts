import type { ServerResponse } from 'node:http';
import { ServiceError } from '../service-error.js';
import type { EventLog } from './event-log.js';

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
  cut = 0;
  private readonly readers = new Map<ServerResponse, Reader>();
  private refusing = false;

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
    if (this.refusing)
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
    this.catchUp(response, reader, this.log.numberOf(lastEventId));
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
        reader.number = this.log.last;
      }
    }
  }

  /** Cuts who has been behind for too long. */
  sweep(): void {
    for (const [response, { behindSince }] of this.readers) {
      if (behindSince === null || this.now() - behindSince <= this.limits.maxBehindMs) continue;
      this.cut += 1;
      this.readers.delete(response);
      response.destroy();
    }
  }

  /** Takes no more of them. */
  refuse(): void {
    this.refusing = true;
  }

  /** Ends all of them, in good order, and takes no more. */
  close(): void {
    this.refuse();
    for (const response of this.readers.keys()) response.end();
    this.readers.clear();
  }

  private catchUp(response: ServerResponse, reader: Reader, number: number | null): void {
    const text = this.log.after(number) ?? this.log.textOf('snapshot', this.snapshot());
    reader.behindSince = null;
    reader.number = this.log.last;
    reader.allowance = this.limits.maxBufferedBytes + Buffer.byteLength(text);
    if (text !== '') response.write(text);
  }
}
