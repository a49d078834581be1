import { WorkerTable } from '../../core/events/load-batch.js';
import type { NotAccountableReason } from '../../wire/loads/load-account.js';
import type { PublisherRuns } from './publisher-runs.js';

/**
 * The cell of a publisher: adjacent numbers, so that a message touches one or two cache lines. The numbers that every
 * message writes are first.
 */
const CELL_SIZE = 16;
/** The number of messages received; 0 if the cell is empty. */
export const RECEIVED = 0;
export const SEQUENCE = 1;
export const PUBLISHED_AT = 2;
export const RECEIVED_AT = 3;
/** The index of its last message among all messages: the publisher silent longest has the lowest. */
export const STAMP = 4;
/** The number of re-attaches before its last message. */
export const ATTACHMENT = 5;
/** The sender that may continue the numbers; any other message is judged by {@link PublisherRuns}. */
export const SENDER = 6;
export const MISSING = 7;
export const MISSING_DETACHED = 8;
export const GAPS = 9;
export const LATE = 10;
export const RESTARTS = 11;
export const FIRST_SEQUENCE = 12;
const HIGH = 13;
const LOW = 14;

const SHARE = 64;

/**
 * Finds the publisher that has been silent longest. One search finds the 1/64 of all publishers that have been silent
 * longest, and `next` returns those that are still silent one by one. So each costs little, and messages need not
 * maintain a list.
 */
class LongestSilent {
  /** The offsets of cells, the longest silent last, and their stamps at the time of the search. */
  private cellOffsets: number[] = [];
  private stamps: number[] = [];

  /** The offset of the cell that has been silent longest. At least one cell must not be empty. */
  next(cells: Float64Array): number {
    for (;;) {
      const at = this.cellOffsets.pop();
      const stamp = this.stamps.pop();
      if (at === undefined) this.search(cells);
      else if ((cells[at + RECEIVED] ?? 0) > 0 && cells[at + STAMP] === stamp) return at;
    }
  }

  /** Must be called when cells are moved. */
  clear(): void {
    this.cellOffsets = [];
    this.stamps = [];
  }

  private search(cells: Float64Array): void {
    const stamps = new Float64Array(cells.length / CELL_SIZE);
    let known = 0;
    for (let at = 0; at < cells.length; at += CELL_SIZE) {
      if ((cells[at + RECEIVED] ?? 0) === 0) continue;
      stamps[known] = cells[at + STAMP] ?? 0;
      known += 1;
    }
    const sorted = stamps.subarray(0, known).sort();
    const newestStamp = sorted[Math.ceil(known / SHARE) - 1] ?? 0;
    for (let at = 0; at < cells.length; at += CELL_SIZE) {
      if ((cells[at + RECEIVED] ?? 0) > 0 && (cells[at + STAMP] ?? 0) <= newestStamp)
        this.cellOffsets.push(at);
    }
    const stampOf = (at: number): number => cells[at + STAMP] ?? 0;
    this.cellOffsets.sort((a, b) => stampOf(b) - stampOf(a));
    this.stamps = this.cellOffsets.map(stampOf);
  }
}

const INITIAL_CELLS = 64;

/**
 * The cells of a bounded number of publishers, by the two halves of their ids. {@link WorkerTable} interns the ids,
 * because they have the same form as those of workers. It keeps every id until it is cleared, so it is rebuilt when it
 * contains a quarter more ids than the limit.
 */
export class PublisherCells {
  /** Replaced when it grows: read it after calling {@link find}. */
  cells: Float64Array = new Float64Array(INITIAL_CELLS * CELL_SIZE);
  size = 0;
  forgotten = 0;
  /** The number of re-attaches. */
  attachment = 0;
  /** The number of publishers without a message since the last re-attach. */
  unjudged = 0;
  /** The number of publishers whose numbers are not judged. */
  notAccountable = 0;
  /** By offset: the runs of a publisher after its first message that did not continue the last one, or why there are none. */
  readonly runs = new Map<number, PublisherRuns | NotAccountableReason>();
  private readonly table = new WorkerTable();
  private readonly silent = new LongestSilent();
  private readonly maxCells: number;

  constructor(private readonly limit: number) {
    this.maxCells = limit + Math.max(INITIAL_CELLS, limit >> 2);
  }

  /** The offset of the cell of a publisher. The caller fills the cell of a new one, whose `RECEIVED` is 0. */
  find(high: number, low: number): number {
    const index = this.table.intern(high, low);
    const at = index * CELL_SIZE;
    return at < this.cells.length && (this.cells[at + RECEIVED] ?? 0) > 0 ? at : this.begin(index, high, low);
  }

  /** The decimal id of the publisher of a cell. */
  id(at: number): string {
    return this.table.id(at / CELL_SIZE);
  }

  /** Marks all publishers as unjudged after a re-attach. */
  reattached(): void {
    this.attachment += 1;
    this.unjudged = this.size;
  }

  /** Forgets the publishers without a message since then. */
  forgetSilent(before: number): number {
    const forgotten = this.forgotten;
    for (const at of this.known()) if ((this.cells[at + RECEIVED_AT] ?? 0) < before) this.forget(at);
    return this.forgotten - forgotten;
  }

  /** The offsets of all cells that are not empty. */
  known(): number[] {
    const known: number[] = [];
    for (let at = 0; at < this.cells.length; at += CELL_SIZE) {
      if ((this.cells[at + RECEIVED] ?? 0) > 0) known.push(at);
    }
    return known;
  }

  private begin(interned: number, high: number, low: number): number {
    if (this.size >= this.limit) this.forget(this.silent.next(this.cells));
    const index = interned < this.maxCells ? interned : this.compact().intern(high, low);
    const at = index * CELL_SIZE;
    if (at >= this.cells.length) this.grow();
    this.cells.fill(0, at, at + CELL_SIZE);
    this.cells[at + HIGH] = high;
    this.cells[at + LOW] = low;
    this.size += 1;
    return at;
  }

  private forget(at: number): void {
    if (this.cells[at + ATTACHMENT] !== this.attachment) this.unjudged -= 1;
    this.cells[at + RECEIVED] = 0;
    if (typeof this.runs.get(at) === 'string') this.notAccountable -= 1;
    this.runs.delete(at);
    this.size -= 1;
    this.forgotten += 1;
  }

  private grow(): void {
    const cells = new Float64Array(Math.min(this.cells.length * 2, this.maxCells * CELL_SIZE));
    cells.set(this.cells);
    this.cells = cells;
  }

  /** Removes empty cells and forgotten ids. */
  private compact(): WorkerTable {
    const { cells, table, runs } = this;
    const known = this.known();
    table.clear();
    this.silent.clear();
    for (const from of known) {
      const to = table.intern(cells[from + HIGH] ?? 0, cells[from + LOW] ?? 0) * CELL_SIZE;
      cells.copyWithin(to, from, from + CELL_SIZE);
      const moved = runs.get(from);
      runs.delete(from);
      if (moved !== undefined) runs.set(to, moved);
    }
    cells.fill(0, known.length * CELL_SIZE);
    return table;
  }
}
