import { WorkerTable } from '../core/worker-table.js';
import { ATTACHMENT, CELL_SIZE, HIGH, LOW, RECEIVED, RECEIVED_AT } from './publisher-cell.js';
import { SilentFirst } from './silent-first.js';

const FIRST_CELLS = 64;

/**
 * The cells of a bounded number of publishers, found by the halves of their ids. Publishers and workers share the
 * form of their ids, so {@link WorkerTable} interns them; as it keeps every id until it is cleared, it is made anew
 * whenever a quarter more publishers than the limit have come.
 */
export class PublisherCells {
  /** Replaced when it grows: read it after {@link find}. */
  cells: Float64Array = new Float64Array(FIRST_CELLS * CELL_SIZE);
  size = 0;
  forgotten = 0;
  /** How often there was a re-attach, and how many publishers sent nothing since. */
  attachment = 0;
  unjudged = 0;
  private readonly table = new WorkerTable();
  private readonly silent = new SilentFirst();
  private readonly places: number;

  constructor(private readonly limit: number) {
    this.places = limit + Math.max(FIRST_CELLS, limit >> 2);
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
    const index = interned < this.places ? interned : this.moveTogether().intern(high, low);
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
    const cells = new Float64Array(Math.min(this.cells.length * 2, this.places * CELL_SIZE));
    cells.set(this.cells);
    this.cells = cells;
  }

  /** Leaves out the empty cells, and the ids that were forgotten. */
  private moveTogether(): WorkerTable {
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
