import type { WorkerId } from '../worker-id.js';
import type { LoadReceived } from './fleet-event.js';

const INITIAL_SIZE = 64;
const MAX_WORKERS = 2 ** 20;

/**
 * Worker ids as small integers, looked up by the two halves of the 64-bit number. It uses open addressing in flat
 * arrays, so that the lookup of a known worker creates neither a bigint nor a string.
 *
 * 1. An id keeps its index until the table is cleared, which increments `version`.
 * 2. Memory is bounded: at 1 048 576 workers the table clears itself.
 */
export class WorkerTable {
  version = 0;
  readonly ids: WorkerId[] = [];
  private high = new Int32Array(INITIAL_SIZE);
  private low = new Int32Array(INITIAL_SIZE);
  /** Each index plus one, so that 0 is an empty cell. */
  private indices = new Int32Array(INITIAL_SIZE);

  get size(): number {
    return this.ids.length;
  }

  /** The index of a worker, given as the upper and the lower 32 bits of its id. */
  intern(high: number, low: number): number {
    const mask = this.indices.length - 1;
    let at = hash(high, low) & mask;
    for (;;) {
      const found = this.indices[at] ?? 0;
      if (found === 0) return this.add(at, high, low);
      if (this.high[at] === (high | 0) && this.low[at] === (low | 0)) return found - 1;
      at = (at + 1) & mask;
    }
  }

  /** The id of the worker at an index. */
  id(index: number): WorkerId {
    return this.ids[index] as WorkerId;
  }

  /** Replaces the string of an id by another string of the same id, so that memory holds only one of them. */
  share(index: number, id: WorkerId): void {
    this.ids[index] = id;
  }

  /** Removes all workers. */
  clear(): void {
    this.version += 1;
    this.ids.length = 0;
    this.high = new Int32Array(INITIAL_SIZE);
    this.low = new Int32Array(INITIAL_SIZE);
    this.indices = new Int32Array(INITIAL_SIZE);
  }

  private add(at: number, high: number, low: number): number {
    if (this.ids.length >= MAX_WORKERS) {
      this.clear();
      return this.intern(high, low);
    }
    const index = this.ids.length;
    this.ids.push(((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString() as WorkerId);
    this.high[at] = high;
    this.low[at] = low;
    this.indices[at] = index + 1;
    if (this.ids.length * 2 > this.indices.length) this.grow();
    return index;
  }

  private grow(): void {
    const { high, low, indices } = this;
    const size = indices.length * 2;
    this.high = new Int32Array(size);
    this.low = new Int32Array(size);
    this.indices = new Int32Array(size);
    for (let i = 0; i < indices.length; i += 1) {
      const index = indices[i] ?? 0;
      if (index === 0) continue;
      let at = hash(high[i] ?? 0, low[i] ?? 0) & (size - 1);
      while (this.indices[at] !== 0) at = (at + 1) & (size - 1);
      this.high[at] = high[i] ?? 0;
      this.low[at] = low[i] ?? 0;
      this.indices[at] = index;
    }
  }
}

/** The ids of one fleet differ in few bits, so both halves are mixed well. */
function hash(high: number, low: number): number {
  const mixed = Math.imul(high ^ Math.imul(low, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** The absence of a value in a column of a {@link LoadBatch}. */
export const NO_VALUE = -1;
/** A value above 2^53 − 1. It is in `wide`, at the row times 3 plus 0, 1 or 2 for the column. */
export const WIDE_VALUE = -2;

/**
 * Loads as columns: the fast form of {@link ActiveLoad}, without a string, a bigint or an object for each load.
 *
 * 1. Rows 0 to `count` − 1 are valid, in the order in which the loads arrived.
 * 2. The columns belong to their producer and are valid only during the call. A consumer that needs them longer copies
 *    them, for example with {@link batchEvents}.
 * 3. `worker` holds indices of `table`: the same index for the same worker until the table is cleared.
 * 4. A value is the count itself, {@link NO_VALUE}, or {@link WIDE_VALUE}.
 */
export interface LoadBatch {
  readonly table: WorkerTable;
  readonly count: number;
  /** When the loads arrived, in milliseconds of the clock that drives the monitor. Absent: their age is unknown. */
  readonly receivedAt?: number;
  readonly worker: Int32Array;
  readonly dpRank: Uint32Array;
  readonly activeDecodeBlocks: Float64Array;
  readonly activePrefillTokens: Float64Array;
  readonly kvUsedBlocks: Float64Array;
  readonly wide: ReadonlyMap<number, bigint>;
}

/** The value in a row of a column; `index` is the number of the column, from 0 to 2. */
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

/** The loads of a batch as events that stay valid after the call. */
export function batchEvents(batch: LoadBatch): LoadReceived[] {
  return Array.from({ length: batch.count }, (_, row) => ({
    kind: 'load',
    workerId: batch.table.id(batch.worker[row] ?? 0),
    dpRank: batch.dpRank[row] ?? 0,
    activeDecodeBlocks: rowValue(batch, batch.activeDecodeBlocks, row, 0),
    activePrefillTokens: rowValue(batch, batch.activePrefillTokens, row, 1),
    kvUsedBlocks: rowValue(batch, batch.kvUsedBlocks, row, 2),
  }));
}
