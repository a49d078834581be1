import type { Count } from '../../core/count.js';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import {
  LoadBatch,
  type LoadColumns,
  NO_VALUE,
  WIDE_VALUE,
  WorkerTable,
} from '../../core/events/load-batch.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { catchDecodeFailure, type DecodeError } from '../decode-error.js';
import { type ValueSpan, noSpan, readSpan, readU32 } from '../msgpack/msgpack-reader.js';
import { type WalkedEnvelope, decodeTopic } from './envelope.js';
import type { LoadHeader } from './load-header.js';
import { LoadWalker } from './load-walker.js';

/** The reason why {@link LoadBatchDecoder.add} added no row for a message. */
export type BatchRefusal = { readonly foreignTopic: string } | { readonly error: DecodeError };

/**
 * Decodes load messages into the columns of a {@link LoadBatch}, without allocations per message.
 *
 * 1. {@link add} appends a row for a load, and otherwise returns the reason. It agrees with {@link LoadDecoder} on
 *    every message and never throws.
 * 2. {@link batch} can be read until the next `add`, `clear` or `setReceivedAt`, which expire it, because its columns are
 *    reused.
 * 3. A batch does not contain the publisher, number and time of messages. {@link header} has those of the last message.
 *
 * @example
 * ```ts
 * import { policies, workerId } from 'tidemark';
 * import { LoadBatchDecoder } from 'tidemark/fast';
 * import { encodeActiveLoad, encodeEnvelope } from 'tidemark/wire';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * const decoder = new LoadBatchDecoder(policies.default);
 * decoder.add(encodeEnvelope({ publisherId: '9', sequence: 0, publishedAt: 0 }, encodeActiveLoad(load, 4)));
 * const { batch } = decoder;
 * console.log(batch.count, batch.workerIds[0], batch.activeDecodeBlocks[0]);
 * // Logs: 1 7 90
 * ```
 *
 * @see {@link LoadDecoder}
 */
export class LoadBatchDecoder {
  private readonly walker: LoadWalker;
  private readonly wide = new Map<number, bigint>();
  private readonly columns: LoadColumns & { count: number; receivedAt?: number };
  private emitted: LoadBatch | null = null;

  /** @param rows the maximum number of loads in a batch, at least 1 */
  constructor(
    policy: LoadPolicy,
    private readonly rows = 1024,
  ) {
    this.walker = new LoadWalker(policy);
    this.columns = {
      table: new WorkerTable(),
      count: 0,
      worker: new Int32Array(rows),
      dpRank: new Uint32Array(rows),
      activeDecodeBlocks: new Float64Array(rows),
      activePrefillTokens: new Float64Array(rows),
      kvUsedBlocks: new Float64Array(rows),
      wide: this.wide,
    };
  }

  /**
   * The publisher, sequence number and time of the last message, for a `LoadAccounting`.
   *
   * 1. `present` is true after a row, after a message of another topic, and if only the payload could not be decoded.
   * 2. The getter decodes the bytes of the message, which the decoder keeps until the next one: do not change them
   *    before. It always returns the same object.
   */
  get header(): LoadHeader {
    return this.walker.header;
  }

  /** The rows since the last `clear`. */
  get batch(): LoadBatch {
    return (this.emitted ??= new LoadBatch(this.columns));
  }

  /** The number of rows since the last `clear`. */
  get count(): number {
    return this.columns.count;
  }

  /** Whether the columns have no row left. */
  get full(): boolean {
    return this.columns.count >= this.rows;
  }

  /** Sets the time of receipt of the following loads, in milliseconds of the monitor's clock. */
  setReceivedAt(receivedAt: number): void {
    if (this.emitted !== null) this.expire();
    this.columns.receivedAt = receivedAt;
  }

  /** Removes all rows. */
  clear(): void {
    if (this.emitted !== null) this.expire();
    this.columns.count = 0;
    if (this.wide.size > 0) this.wide.clear();
    // Only between batches: rows that were added before the table is cleared would get other workers.
    this.columns.table.makeRoom(this.rows);
  }

  /** Appends a load as a row and returns `null`, or returns why the message is not a row. Clears a full batch first. */
  add(bytes: Uint8Array): BatchRefusal | null {
    if (this.emitted !== null) this.expire();
    if (this.full) this.clear();
    const known = this.walker.match(bytes);
    return known === undefined ? this.addUnknown(bytes) : this.addWalked(bytes, known);
  }

  /** Separate from `add`, which would otherwise allocate a closure context for every message. */
  private addUnknown(bytes: Uint8Array): BatchRefusal | null {
    return catchDecodeFailure(() => {
      const walked = this.walker.walk(bytes);
      return 'kind' in walked ? this.addReported(walked) : this.addWalked(bytes, walked);
    });
  }

  private addWalked(bytes: Uint8Array, walked: WalkedEnvelope): BatchRefusal | null {
    const { load } = walked;
    if (load === null) return { foreignTopic: decodeTopic(bytes, walked.topic) };
    const from = walked.gathered ?? bytes;
    const { columns } = this;
    const row = columns.count;
    const { offset, width } = load.workerId;
    columns.worker[row] =
      width === 8
        ? columns.table.intern(readU32(from, offset), readU32(from, offset + 4))
        : columns.table.intern(0, Number(readSpan(from, load.workerId)));
    columns.dpRank[row] = load.dpRank === noSpan ? 0 : Number(readSpan(from, load.dpRank));
    columns.activeDecodeBlocks[row] = this.valueOf(from, load.activeDecodeBlocks, row * 3);
    columns.activePrefillTokens[row] = this.valueOf(from, load.activePrefillTokens, row * 3 + 1);
    columns.kvUsedBlocks[row] = this.valueOf(from, load.kvUsedBlocks, row * 3 + 2);
    columns.count = row + 1;
    return null;
  }

  private addReported(load: LoadReceived): null {
    const { columns } = this;
    const row = columns.count;
    const id = BigInt(load.workerId);
    columns.worker[row] = columns.table.intern(Number(id >> 32n), Number(id & 0xffff_ffffn));
    columns.dpRank[row] = load.dpRank;
    columns.activeDecodeBlocks[row] = this.store(load.activeDecodeBlocks, row * 3);
    columns.activePrefillTokens[row] = this.store(load.activePrefillTokens, row * 3 + 1);
    columns.kvUsedBlocks[row] = this.store(load.kvUsedBlocks, row * 3 + 2);
    columns.count = row + 1;
    return null;
  }

  private valueOf(from: Uint8Array, span: ValueSpan, index: number): number {
    if (span === noSpan) return NO_VALUE;
    const value = readSpan(from, span);
    return typeof value === 'number' ? value : this.store(value, index);
  }

  private store(value: Count | null, index: number): number {
    if (value === null) return NO_VALUE;
    if (typeof value === 'number') return value;
    this.wide.set(index, value);
    return WIDE_VALUE;
  }

  private expire(): void {
    this.emitted?.expire();
    this.emitted = null;
  }
}
