import { scan, type OperatorFunction } from 'rxjs';
import { countOf, type Count } from '../count.js';
import type { WorkerId } from '../worker-id.js';

/** What a router says when it chose a worker: how much of the prompt that worker had in its cache (up to 0.9). */
export interface KvHitRateEvent {
  readonly workerId: WorkerId;
  /** 0 where the release does not say it. */
  readonly dpRank: number;
  /** Blocks of the prompt. */
  readonly islBlocks: Count;
  /** Those of them that were in the cache. */
  readonly overlapBlocks: Count;
}

/** All choices together. */
export interface KvHitRate {
  readonly islBlocks: Count;
  readonly overlapBlocks: Count;
  /** A fraction, 0 to 1 unless routers report more overlap than prompt; `null` before the first block. */
  readonly hitRate: number | null;
}

/**
 * The cumulative hit rate of the KV cache: with every event the sums so far, and their quotient.
 *
 * ```
 *   events  --a---b---    a: 2 of 8 blocks, b: 4 of 4
 *        kvHitRate()
 *   result  --x---y---    x: 0.25, y: 0.5
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { kvHitRate, workerId } from 'tidemark';
 *
 * const at = { workerId: workerId('7'), dpRank: 0 };
 * of({ ...at, islBlocks: 8, overlapBlocks: 2 }, { ...at, islBlocks: 4, overlapBlocks: 4 })
 *   .pipe(kvHitRate())
 *   .subscribe(({ hitRate }) => console.log(hitRate));
 * // Logs: 0.25
 * // Logs: 0.5
 * ```
 *
 * @see {@link decodeKvHitRateEvent}
 */
export function kvHitRate(): OperatorFunction<KvHitRateEvent, KvHitRate> {
  const none: KvHitRate = { islBlocks: 0, overlapBlocks: 0, hitRate: null };
  return scan((sums: KvHitRate, event: KvHitRateEvent): KvHitRate => {
    const islBlocks = sumOf(sums.islBlocks, event.islBlocks);
    const overlapBlocks = sumOf(sums.overlapBlocks, event.overlapBlocks);
    const hitRate = islBlocks === 0 ? null : Number(overlapBlocks) / Number(islBlocks);
    return { islBlocks, overlapBlocks, hitRate };
  }, none);
}

function sumOf(a: Count, b: Count): Count {
  return countOf(BigInt(a) + BigInt(b));
}
