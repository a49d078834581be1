import { TidemarkError } from '../errors.js';
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

  /** Removes all workers if the table has no room for so many new ones, so that it is not cleared while they are added. */
  makeRoom(workers: number): void {
    if (this.ids.length + workers > MAX_WORKERS) this.clear();
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

/** The absence of a value in a column. */
export const NO_VALUE = -1;
/** A value above 2^53 − 1. It is in `wide`, at the row times 3 plus 0, 1 or 2 for the column. */
export const WIDE_VALUE = -2;

/**
 * What a producer of a {@link LoadBatch} fills: one column for each property of a load, without a string, a bigint or an
 * object for each load.
 *
 * 1. Rows 0 to `count` − 1 are valid, in the order in which the loads arrived.
 * 2. `worker` holds indices of `table`: the same index for the same worker until the table is cleared.
 * 3. A value is the count itself, {@link NO_VALUE}, or {@link WIDE_VALUE}.
 */
export interface LoadColumns {
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

/** The columns of a batch as they are now, to read during the call; `null` after `expire`. */
let liveColumns: (batch: LoadBatch) => LoadColumns | null;

/**
 * Loads as columns: the fast form of {@link ActiveLoad}. It can be read only during the call in which it is emitted,
 * because its producer reuses the columns. An operator that delays or keeps values must copy it, or use objects.
 *
 * 1. After the call, every access throws: every property, a new iterator, an iterator that was started, and
 *    {@link batchEvents}. No access ever shows other loads.
 * 2. The columns that a batch shows are copies of `count` rows, so they stay valid. The first access to one of them copies
 *    all, and all readers of the batch share the copies. A value is the count itself, {@link NO_VALUE} or
 *    {@link WIDE_VALUE}. `FleetLoad` and `loadMonitor` read the columns of the producer and copy nothing.
 * 3. Iterating makes a load for each row, as {@link batchEvents} does.
 * 4. A producer makes a batch of its columns for each emission, and calls {@link expire} before it changes them. A batch
 *    whose columns never change needs no `expire`, and can be read at any time.
 *
 * ```
 * loads$          b-------c-------
 * b.count         2|      throws
 * delay(1)        -b               b.count throws
 * map(batchEvents), delay(1)
 *                 -[load, load]    as emitted
 * ```
 *
 * @example
 * ```ts
 * import { TidemarkError } from 'tidemark';
 * import { LoadBatch, WorkerTable, NO_VALUE, batchEvents } from 'tidemark/fast';
 *
 * const table = new WorkerTable();
 * const none = Float64Array.of(NO_VALUE);
 * const batch = new LoadBatch({
 *   table,
 *   count: 1,
 *   worker: Int32Array.of(table.intern(0, 7)),
 *   dpRank: Uint32Array.of(0),
 *   activeDecodeBlocks: Float64Array.of(90),
 *   activePrefillTokens: none,
 *   kvUsedBlocks: none,
 *   wide: new Map(),
 * });
 * const [load] = batchEvents(batch);
 * batch.expire();
 * console.log(load?.workerId, load?.activeDecodeBlocks);
 * try {
 *   console.log(batch.count);
 * } catch (error) {
 *   if (error instanceof TidemarkError) console.log(error.code);
 * }
 * // Logs: 7 90
 * // Logs: batch-expired
 * ```
 *
 * @throws TidemarkError with the code `batch-expired`, from every access after the call
 *
 * @see {@link batchEvents}
 */
export class LoadBatch implements Iterable<LoadReceived> {
  /** Tells a batch from an event. It can be read at any time. */
  readonly kind = 'batch';
  #columns: LoadColumns | null;
  #copies: ColumnCopies | undefined;

  static {
    liveColumns = (batch) => batch.#columns;
  }

  /** @param columns must not change before {@link expire} */
  constructor(columns: LoadColumns) {
    this.#columns = columns;
  }

  /** The number of loads. */
  get count(): number {
    return columnsOf(this).count;
  }

  /** When the loads arrived, in milliseconds of the clock that drives the monitor; `undefined` when that is unknown. */
  get receivedAt(): number | undefined {
    return columnsOf(this).receivedAt;
  }

  /** The id of the worker of each load. */
  get workerIds(): readonly WorkerId[] {
    return this.#copied().workerIds;
  }

  /** The rank of each load. */
  get dpRank(): Uint32Array {
    return this.#copied().dpRank;
  }

  /** The active decode blocks of each load. */
  get activeDecodeBlocks(): Float64Array {
    return this.#copied().activeDecodeBlocks;
  }

  /** The active prefill tokens of each load. */
  get activePrefillTokens(): Float64Array {
    return this.#copied().activePrefillTokens;
  }

  /** The used KV blocks of each load. */
  get kvUsedBlocks(): Float64Array {
    return this.#copied().kvUsedBlocks;
  }

  /** The values above 2^53 − 1, at the row times 3 plus 0, 1 or 2 for the column. */
  get wide(): ReadonlyMap<number, bigint> {
    return this.#copied().wide;
  }

  /** The loads one by one. */
  *[Symbol.iterator](): Generator<LoadReceived, void> {
    // The columns are asked for again before each load, because the batch may expire in between.
    for (let row = 0; row < this.count; row += 1) yield rowEvent(columnsOf(this), row);
  }

  /** Ends the time in which the batch can be read. Its producer calls it when the call has returned. */
  expire(): void {
    this.#columns = null;
    this.#copies = undefined;
  }

  #copied(): ColumnCopies {
    const columns = columnsOf(this);
    return (this.#copies ??= copyColumns(columns));
  }
}

/**
 * The columns of the producer itself, for those who read them at once and keep nothing: the fold, and a router.
 *
 * @throws TidemarkError after `expire`
 */
export function columnsOf(batch: LoadBatch): LoadColumns {
  return liveColumns(batch) ?? throwExpired();
}

function throwExpired(): never {
  throw new TidemarkError(
    'batch-expired',
    'the batch was read after the call in which it was emitted: copy it during the call with `batchEvents`, or use ' +
      'the default form `objects`, whose loads can be kept and delayed',
  );
}

interface ColumnCopies extends Pick<
  LoadColumns,
  'dpRank' | 'activeDecodeBlocks' | 'activePrefillTokens' | 'kvUsedBlocks' | 'wide'
> {
  readonly workerIds: readonly WorkerId[];
}

function copyColumns(columns: LoadColumns): ColumnCopies {
  const { table, count, worker, dpRank, activeDecodeBlocks, activePrefillTokens, kvUsedBlocks, wide } =
    columns;
  return {
    workerIds: Array.from(worker.subarray(0, count), (index) => table.id(index)),
    dpRank: dpRank.slice(0, count),
    activeDecodeBlocks: activeDecodeBlocks.slice(0, count),
    activePrefillTokens: activePrefillTokens.slice(0, count),
    kvUsedBlocks: kvUsedBlocks.slice(0, count),
    wide: new Map(wide),
  };
}

/** The value in a row of a column; `index` is the number of the column, from 0 to 2. */
export function rowValue(
  columns: LoadColumns,
  column: Float64Array,
  row: number,
  index: number,
): number | bigint | null {
  const value = column[row] ?? NO_VALUE;
  if (value >= 0) return value;
  return value === WIDE_VALUE ? (columns.wide.get(row * 3 + index) ?? null) : null;
}

function rowEvent(columns: LoadColumns, row: number): LoadReceived {
  return {
    kind: 'load',
    workerId: columns.table.id(columns.worker[row] ?? 0),
    dpRank: columns.dpRank[row] ?? 0,
    activeDecodeBlocks: rowValue(columns, columns.activeDecodeBlocks, row, 0),
    activePrefillTokens: rowValue(columns, columns.activePrefillTokens, row, 1),
    kvUsedBlocks: rowValue(columns, columns.kvUsedBlocks, row, 2),
  };
}

/**
 * The loads of a batch as events that stay valid after the call.
 *
 * @throws TidemarkError with the code `batch-expired` after the call
 */
export function batchEvents(batch: LoadBatch): LoadReceived[] {
  return [...batch];
}
