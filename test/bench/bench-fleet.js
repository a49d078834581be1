import { policies } from 'tidemark';
import { randomWords } from './random.js';

export const POLICY = policies.default;
export const TOTAL_BLOCKS = 7000;
export const THRESHOLDS = { activeDecodeBlocksThreshold: 0.85 };

/**
 * A made-up fleet: ids as etcd assigns them (above 2^53), its busy workers, and its configs. It is neither counted
 * nor timed.
 *
 * @param {{ workers: number, ranks: number, busyShare?: number }} size
 */
export function benchFleet({ workers, ranks, busyShare = 0.3 }) {
  const random = randomWords(workers * 31 + ranks);
  const high = new Uint32Array(workers);
  const low = new Uint32Array(workers);
  const busy = new Uint8Array(workers);
  for (let i = 0; i < workers; i += 1) {
    high[i] = 0x694d_9800 + (random() & 0xff);
    low[i] = random();
    busy[i] = i < Math.round(workers * busyShare) ? 1 : 0;
  }
  return { workers, ranks, high, low, busy, busyCount: Math.round(workers * busyShare) };
}

/** @typedef {ReturnType<typeof benchFleet>} BenchFleet */

/**
 * The id of one worker as text.
 *
 * @param {BenchFleet} fleet
 * @param {number} worker
 */
export function idOf({ high, low }, worker) {
  return ((BigInt(high[worker]) << 32n) | BigInt(low[worker])).toString();
}

/** @param {BenchFleet} fleet */
export function idsOf(fleet) {
  return Array.from({ length: fleet.workers }, (_, worker) => idOf(fleet, worker));
}

/**
 * @param {BenchFleet} fleet
 * @param {readonly string[]} ids
 */
export function configsOf({ ranks }, ids) {
  const config = { totalKvBlocks: TOTAL_BLOCKS, maxNumBatchedTokens: 8192, dataParallelSize: ranks };
  return new Map(ids.map((id) => [id, { ...config }]));
}
