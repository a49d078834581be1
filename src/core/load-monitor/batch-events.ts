import type { LoadReported } from '../fleet-event.js';
import { rowValue } from '../fleet-load/apply-batch.js';
import type { LoadBatch } from '../load-batch.js';

/** The loads of a batch as objects that outlive the call. */
export function batchEvents(batch: LoadBatch): LoadReported[] {
  return Array.from({ length: batch.count }, (_, row) => ({
    kind: 'load',
    workerId: batch.table.id(batch.worker[row] ?? 0),
    dpRank: batch.dpRank[row] ?? 0,
    activeDecodeBlocks: rowValue(batch, batch.activeDecodeBlocks, row, 0),
    activePrefillTokens: rowValue(batch, batch.activePrefillTokens, row, 1),
    kvUsedBlocks: rowValue(batch, batch.kvUsedBlocks, row, 2),
  }));
}
