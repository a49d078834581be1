import { NO_VALUE, WIDE_VALUE, type LoadBatch } from '../load-batch.js';
import type { WorkerTable } from '../worker-table.js';
import { reportOne } from './apply-loads.js';
import type { FleetStore } from './fleet-store.js';
import { grown } from './grown.js';
import { receiptOf } from './receipt.js';
import { TENANCY } from './worker-slots.js';

/** One row of a batch: the same as the load it stands for. */
export function applyRow(store: FleetStore, batch: LoadBatch, row: number): void {
  if (!store.loadsOpen) return;
  const slot = slotOf(store, batch.table, batch.worker[row] ?? 0);
  const rank = batch.dpRank[row] ?? 0;
  const active = rowValue(batch, batch.activeDecodeBlocks, row, 0);
  const tokens = rowValue(batch, batch.activePrefillTokens, row, 1);
  const used = rowValue(batch, batch.kvUsedBlocks, row, 2);
  store.receipt = receiptOf(batch.receivedAt ?? NaN);
  reportOne(store, slot, rank, active, tokens, used);
}

/** The value in a row of a column; `index` is the column's number among the three. */
export function rowValue(
  batch: LoadBatch,
  column: Float64Array,
  row: number,
  index: number,
): number | bigint | null {
  const value = column[row] ?? NO_VALUE;
  if (value >= 0) return value;
  return value === WIDE_VALUE ? (batch.wide.get(row * 3 + index) ?? null) : null;
}

/**
 * Which slots the indices of one worker table mean, as far as they were met: slot plus one, and the tenancy under
 * which the slot was that worker's.
 */
export class TableSlots {
  private generation: number;
  private pairs: Int32Array = new Int32Array(128);

  constructor(readonly table: WorkerTable) {
    this.generation = table.generation;
  }

  slotOf({ slots }: FleetStore, index: number): number {
    if (this.generation !== this.table.generation) {
      this.generation = this.table.generation;
      this.pairs.fill(0);
    }
    const at = index * 2;
    const known = (this.pairs[at] ?? 0) - 1;
    if (known >= 0 && slots.words[slots.at(known) + TENANCY] === this.pairs[at + 1]) return known;
    const slot = slots.intern(this.table.id(index));
    this.table.share(index, slots.id(slot));
    if (at >= this.pairs.length) this.pairs = grown(this.pairs, at + 2);
    this.pairs[at] = slot + 1;
    this.pairs[at + 1] = slots.words[slots.at(slot) + TENANCY] ?? 0;
    return slot;
  }
}

function slotOf(store: FleetStore, table: WorkerTable, index: number): number {
  if (store.lastTable?.table !== table) {
    const known = store.tables.get(table) ?? new TableSlots(table);
    store.tables.set(table, known);
    store.lastTable = known;
  }
  return store.lastTable.slotOf(store, index);
}
