import type { WorkerId } from '../worker-id.js';
import type { LoadReceived } from './fleet-event.js';

const INITIAL_SIZE = 64;
const MAX_WORKERS = 2 ** 20;

/**
 * Worker ids as small integers, found by the two halves of the 64-bit number: open addressing in flat arrays, so
 * that a worker seen before costs neither a bigint nor a string.
 *
 * 1. An id keeps its index until the table is cleared, which raises `generation`.
 * 2. Memory is bounded: at 1 048 576 workers the table clears itself.
 */
export class WorkerTable {
  version = 0;
  readonly ids: WorkerId[] = [];
  private high = new Int32Array(INITIAL_SIZE);
  private low = new Int32Array(INITIAL_SIZE);
  /** Index plus one, so that 0 is an empty place. */
  private places = new Int32Array(INITIAL_SIZE);

  get size(): number {
    return this.ids.length;
  }

  /** The index of a worker, given as the upper and the lower 32 bits of its id. */
  intern(high: number, low: number): number {
    const mask = this.places.length - 1;
    let at = hash(high, low) & mask;
    for (;;) {
      const place = this.places[at] ?? 0;
      if (place === 0) return this.add(at, high, low);
      if (this.high[at] === (high | 0) && this.low[at] === (low | 0)) return place - 1;
      at = (at + 1) & mask;
    }
  }

  /** The worker of an index. */
  id(index: number): WorkerId {
    return this.ids[index] as WorkerId;
  }

  /** Takes another string of the same id, so that whoever else holds it does not hold a second one. */
  share(index: number, id: WorkerId): void {
    this.ids[index] = id;
  }

  /** Forgets every worker. */
  clear(): void {
    this.version += 1;
    this.ids.length = 0;
    this.high = new Int32Array(INITIAL_SIZE);
    this.low = new Int32Array(INITIAL_SIZE);
    this.places = new Int32Array(INITIAL_SIZE);
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
    this.places[at] = index + 1;
    if (this.ids.length * 2 > this.places.length) this.grow();
    return index;
  }

  private grow(): void {
    const { high, low, places } = this;
    const size = places.length * 2;
    this.high = new Int32Array(size);
    this.low = new Int32Array(size);
    this.places = new Int32Array(size);
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i] ?? 0;
      if (place === 0) continue;
      let at = hash(high[i] ?? 0, low[i] ?? 0) & (size - 1);
      while (this.places[at] !== 0) at = (at + 1) & (size - 1);
      this.high[at] = high[i] ?? 0;
      this.low[at] = low[i] ?? 0;
      this.places[at] = place;
    }
  }
}

/** Ids of one fleet differ in few bits: both halves are mixed well. */
function hash(high: number, low: number): number {
  const mixed = Math.imul(high ^ Math.imul(low, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** No value in a column of a {@link LoadBatch}. */
export const NO_VALUE = -1;
/** The value is above 2^53 − 1; it stands in `wide`, under its row times 3 plus 0, 1 or 2 for the column. */
export const WIDE_VALUE = -2;

/**
 * Loads as columns: the fast form of {@link ActiveLoad}, without a string, a bigint or an object for each.
 *
 * 1. Rows 0 to `count` − 1 are valid, in the order in which the loads came.
 * 2. The columns belong to whoever made them and are valid during the call only: who needs them longer copies.
 * 3. `worker` holds indices of `table`, the same index for the same worker until the table is cleared.
 * 4. A value is the count itself, {@link NO_VALUE}, or {@link WIDE_VALUE}.
 */
export interface LoadBatch {
  readonly table: WorkerTable;
  readonly count: number;
  /** When the loads came, in milliseconds of the clock that drives the monitor. Absent: nobody knows their age. */
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
