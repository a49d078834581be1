import { WorkerTable } from '../../core/events/load-batch.js';

/**
 * The cell of a publisher: numbers side by side, so that a message touches one or two lines of memory. What every
 * message writes comes first.
 */
export const CELL_SIZE = 16;
/** 0: the cell is empty. */
export const RECEIVED = 0;
export const SEQUENCE = 1;
export const PUBLISHED_AT = 2;
export const RECEIVED_AT = 3;
/** The number of its last message among all messages: who was silent longest has the lowest. */
export const STAMP = 4;
/** How often there was a re-attach before its last message. */
export const ATTACHMENT = 5;
export const MISSING = 6;
export const MISSING_DETACHED = 7;
export const GAPS = 8;
export const LATE = 9;
export const RESTARTS = 10;
export const FIRST_SEQUENCE = 11;
export const HIGH = 12;
export const LOW = 13;

const SHARE = 64;

/**
 * Finds the publisher that was silent longest, again and again. The most silent 64th is looked for at once and
 * given out one by one, as long as they stay silent; so each costs little and no message has to move a list.
 */
export class LongestSilent {
  /** Places of cells, the most silent last, and what their stamps were. */
  private places: number[] = [];
  private stamps: number[] = [];

  /** The place of the cell that was silent longest. There must be one that is not empty. */
  next(cells: Float64Array): number {
    for (;;) {
      const at = this.places.pop();
      const stamp = this.stamps.pop();
      if (at === undefined) this.search(cells);
      else if ((cells[at + RECEIVED] ?? 0) > 0 && cells[at + STAMP] === stamp) return at;
    }
  }

  /** Cells were moved. */
  clear(): void {
    this.places = [];
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
    const most = sorted[Math.ceil(known / SHARE) - 1] ?? 0;
    for (let at = 0; at < cells.length; at += CELL_SIZE) {
      if ((cells[at + RECEIVED] ?? 0) > 0 && (cells[at + STAMP] ?? 0) <= most) this.places.push(at);
    }
    const stampOf = (at: number): number => cells[at + STAMP] ?? 0;
    this.places.sort((a, b) => stampOf(b) - stampOf(a));
    this.stamps = this.places.map(stampOf);
  }
}

const INITIAL_CELLS = 64;

/**
 * The cells of a bounded number of publishers, found by the halves of their ids. Publishers and workers share the
 * form of their ids, so {@link WorkerTable} interns them; as it keeps every id until it is cleared, it is made anew
 * whenever a quarter more publishers than the limit have come.
 */
export class PublisherCells {
  /** Replaced when it grows: read it after {@link find}. */
  cells = new Float64Array(INITIAL_CELLS * CELL_SIZE);
  size = 0;
  forgotten = 0;
  /** How often there was a re-attach, and how many publishers sent nothing since. */
  attachment = 0;
  unjudged = 0;
  private readonly table = new WorkerTable();
  private readonly silent = new LongestSilent();
  private readonly maxCells: number;

  constructor(private readonly limit: number) {
    this.maxCells = limit + Math.max(INITIAL_CELLS, limit >> 2);
  }

  /** The place of a publisher's cell. Of one that is new, nothing is received yet: the caller fills the cell. */
  find(high: number, low: number): number {
    const index = this.table.intern(high, low);
    const at = index * CELL_SIZE;
    return at < this.cells.length && (this.cells[at + RECEIVED] ?? 0) > 0 ? at : this.begin(index, high, low);
  }

  /** The decimal id of a cell's publisher. */
  id(at: number): string {
    return this.table.id(at / CELL_SIZE);
  }

  /** Nothing that comes from now on follows what came before. */
  reattached(): void {
    this.attachment += 1;
    this.unjudged = this.size;
  }

  /** Forgets the publishers of which nothing came since then. */
  forgetSilent(before: number): number {
    const forgotten = this.forgotten;
    for (const at of this.known()) if ((this.cells[at + RECEIVED_AT] ?? 0) < before) this.forget(at);
    return this.forgotten - forgotten;
  }

  /** The places of all cells that are not empty. */
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
    this.size -= 1;
    this.forgotten += 1;
  }

  private grow(): void {
    const cells = new Float64Array(Math.min(this.cells.length * 2, this.maxCells * CELL_SIZE));
    cells.set(this.cells);
    this.cells = cells;
  }

  /** Leaves out the empty cells, and the ids that were forgotten. */
  private compact(): WorkerTable {
    const { cells, table } = this;
    const known = this.known();
    table.clear();
    this.silent.clear();
    for (const from of known) {
      const to = table.intern(cells[from + HIGH] ?? 0, cells[from + LOW] ?? 0) * CELL_SIZE;
      cells.copyWithin(to, from, from + CELL_SIZE);
    }
    cells.fill(0, known.length * CELL_SIZE);
    return table;
  }
}
