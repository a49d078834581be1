import type { WorkerTable } from '../../events/load-batch.js';
import { growWords } from './grow-words.js';
import type { Workers } from './workers.js';

/**
 * The slots of the workers of one worker table, by the indices of the table. Each pair of words holds the slot plus
 * one, and the tenancy under which the slot was that worker's; 0 for an index that was not used yet.
 */
export class TableSlots {
  private version: number;
  private pairs: Int32Array = new Int32Array(128);

  constructor(readonly table: WorkerTable) {
    this.version = table.version;
  }

  slotOf(workers: Workers, index: number): number {
    if (this.version !== this.table.version) {
      this.version = this.table.version;
      this.pairs.fill(0);
    }
    const at = index * 2;
    const known = (this.pairs[at] ?? 0) - 1;
    if (known >= 0 && workers.tenancy(known) === this.pairs[at + 1]) return known;
    const slot = workers.intern(this.table.id(index));
    this.table.share(index, workers.id(slot));
    if (at >= this.pairs.length) this.pairs = growWords(this.pairs, at + 2);
    this.pairs[at] = slot + 1;
    this.pairs[at + 1] = workers.tenancy(slot);
    return slot;
  }
}
