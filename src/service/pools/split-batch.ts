import type { LoadBatch } from '../../core/load-batch.js';

const COLUMNS = 3;

/**
 * The rows of a batch by who is to have them. Costs the rows. A batch that is all one owner's is handed on as it is, so
 * that one pool pays for no copy.
 */
export function splitBatch<Owner>(
  batch: LoadBatch,
  ownersOf: (workerIndex: number) => readonly Owner[],
): Map<Owner, LoadBatch> {
  const rows = new Map<Owner, number[]>();
  for (let row = 0; row < batch.count; row += 1) {
    for (const owner of ownersOf(batch.worker[row] ?? 0)) {
      const own = rows.get(owner);
      if (own === undefined) rows.set(owner, [row]);
      else own.push(row);
    }
  }
  return new Map(
    [...rows].map(([owner, own]) => [owner, own.length === batch.count ? batch : rowsOf(batch, own)]),
  );
}

function rowsOf(batch: LoadBatch, rows: readonly number[]): LoadBatch {
  const { worker, dpRank, activeDecodeBlocks, activePrefillTokens, kvUsedBlocks } = batch;
  const wide = new Map<number, bigint>();
  if (batch.wide.size > 0) {
    rows.forEach((row, index) => {
      for (let column = 0; column < COLUMNS; column += 1) {
        const value = batch.wide.get(row * COLUMNS + column);
        if (value !== undefined) wide.set(index * COLUMNS + column, value);
      }
    });
  }
  return {
    ...batch,
    count: rows.length,
    worker: Int32Array.from(rows, (row) => worker[row] ?? 0),
    dpRank: Uint32Array.from(rows, (row) => dpRank[row] ?? 0),
    activeDecodeBlocks: Float64Array.from(rows, (row) => activeDecodeBlocks[row] ?? 0),
    activePrefillTokens: Float64Array.from(rows, (row) => activePrefillTokens[row] ?? 0),
    kvUsedBlocks: Float64Array.from(rows, (row) => kvUsedBlocks[row] ?? 0),
    wide,
  };
}
