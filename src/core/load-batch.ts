import type { WorkerTable } from './worker-table.js';

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
