import { MAX_U64 } from './count.js';
import { TidemarkError } from './errors.js';
import { shownValue } from './option-problems.js';

declare const workerIdBrand: unique symbol;

/**
 * The identity of a worker: an unsigned 64-bit integer as a decimal string, without a sign and without leading zeros.
 *
 * Real ids are etcd lease ids above 2^53, which a JavaScript number cannot hold. Make an id with
 * {@link workerId}, {@link workerIdFromHex} or {@link workerIdFromBigInt}.
 */
export type WorkerId = string & { readonly [workerIdBrand]: true };

/** A text or number that is not a valid worker id. */
export class WorkerIdError extends TidemarkError {
  override readonly name = 'WorkerIdError';

  constructor(readonly given: string) {
    super(
      'worker-id',
      `${shownValue(given)} is not a valid worker id: write an unsigned 64-bit integer ` +
        '(0 to 18446744073709551615) in decimal, without a sign and without leading zeros.',
    );
  }
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,19})$/;
const HEX = /^[0-9a-fA-F]{1,16}$/;

/**
 * Reads a worker id from its decimal text.
 *
 * @throws WorkerIdError for a sign, a leading zero, white space, or a value above 2^64 − 1.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 *
 * console.log(workerId('7587888657184927289'));
 * // Logs: 7587888657184927289
 * ```
 */
export function workerId(text: string): WorkerId {
  if (typeof text !== 'string' || !DECIMAL.test(text) || (text.length === 20 && BigInt(text) > MAX_U64))
    throw new WorkerIdError(text);
  return text as WorkerId;
}

/**
 * Reads a worker id from the hexadecimal form that discovery keys carry, in either case.
 *
 * @throws WorkerIdError for anything but 1 to 16 hexadecimal digits.
 *
 * @example
 * ```ts
 * import { workerIdFromHex } from 'tidemark';
 *
 * console.log(workerIdFromHex('694d988806b92e39'));
 * // Logs: 7587888657184927289
 * ```
 */
export function workerIdFromHex(hex: string): WorkerId {
  if (!HEX.test(hex)) throw new WorkerIdError(hex);
  return BigInt(`0x${hex}`).toString() as WorkerId;
}

/**
 * Makes a worker id from a whole number.
 *
 * @throws WorkerIdError for a number that is not whole, not safe (above 2^53 − 1), negative, or above 2^64 − 1.
 */
export function workerIdFromBigInt(value: bigint | number): WorkerId {
  const integer = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value) : -1n;
  if (integer < 0n || integer > MAX_U64) throw new WorkerIdError(String(value));
  return integer.toString() as WorkerId;
}

/** Orders worker ids by their numeric value: negative when `a` is smaller, 0 when equal, else positive. */
export function compareWorkerIds(a: WorkerId, b: WorkerId): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
