import { CELL_SIZE, RECEIVED, STAMP } from './publisher-cell.js';

const SHARE = 64;

/**
 * Finds the publisher that was silent longest, again and again. The most silent 64th is looked for at once and
 * given out one by one, as long as they stay silent; so each costs little and no message has to move a list.
 */
export class SilentFirst {
  /** Places of cells, the most silent last, and what their stamps were. */
  private places: number[] = [];
  private stamps: number[] = [];

  /** The place of the cell that was silent longest. There must be one that is not empty. */
  next(cells: Float64Array): number {
    for (;;) {
      const at = this.places.pop();
      const stamp = this.stamps.pop();
      if (at === undefined) this.look(cells);
      else if ((cells[at + RECEIVED] ?? 0) > 0 && cells[at + STAMP] === stamp) return at;
    }
  }

  /** Cells were moved. */
  clear(): void {
    this.places = [];
    this.stamps = [];
  }

  private look(cells: Float64Array): void {
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
