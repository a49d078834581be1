import {
  type LoadColumns,
  NO_VALUE,
  WIDE_VALUE,
  type WorkerTable,
} from '../../src/core/events/load-batch.js';

/** A load: worker, rank, prefill tokens. */
export type Row = readonly [worker: number, dpRank: number, tokens: number | bigint];

/** Columns with one load per row. */
export function loadColumns(table: WorkerTable, ...rows: readonly Row[]): LoadColumns {
  const wide = new Map<number, bigint>();
  rows.forEach(([, , tokens], row) => {
    if (typeof tokens === 'bigint') wide.set(row * 3 + 1, tokens);
  });
  return {
    table,
    count: rows.length,
    receivedAt: 5,
    worker: Int32Array.from(rows, ([worker]) => table.intern(0, worker)),
    dpRank: Uint32Array.from(rows, ([, dpRank]) => dpRank),
    activeDecodeBlocks: Float64Array.from(rows, () => NO_VALUE),
    activePrefillTokens: Float64Array.from(rows, ([, , tokens]) =>
      typeof tokens === 'bigint' ? WIDE_VALUE : tokens,
    ),
    kvUsedBlocks: Float64Array.from(rows, () => NO_VALUE),
    wide,
  };
}
