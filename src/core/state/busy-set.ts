import { type InspectArguments, inspectCustom, printAs } from '../ordinary-value.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';

/**
 * The busy workers at one moment. Immutable.
 *
 * 1. Two busy sets are equal when their ids are equal, also sets of different runs: under `deepStrictEqual` of
 *    `node:assert`, and under `toEqual` and `toStrictEqual` of vitest and jest. `ids` is the only enumerable property, so
 *    nothing else takes part. To compare with a Set of your own, use {@link BusySet.toSet}; with an array, `ids`.
 * 2. `JSON.stringify` makes an array of ids, and `console.log` prints `BusySet(2) { '7', '8' }`.
 * 3. For the newest version, the cost of `has` and `size` does not depend on the size. An older version is reconstructed
 *    once, when it is first read, at the cost of the changes since then.
 * 4. Iteration is in ascending order of ids.
 */
export interface BusySet extends Iterable<WorkerId> {
  /** The ids, in ascending order. Made on first use and kept. */
  readonly ids: readonly WorkerId[];
  /** 0 for the initial, empty set, and one more for every set that differs from the one before. */
  readonly version: number;
  readonly size: number;
  /** The ids that the version before does not have, in ascending order. All ids when `isSnapshot`. */
  readonly added: readonly WorkerId[];
  /** The ids that only the version before has, in ascending order. None when `isSnapshot`. */
  readonly removed: readonly WorkerId[];
  /**
   * Whether `added` is the whole set and `removed` is empty, because the receiver has seen no set before: true for the
   * initial, empty set, and for the set that a late subscriber is given first.
   */
  readonly isSnapshot: boolean;
  has(workerId: WorkerId): boolean;
  /** The same ids as a Set, made on first use and kept. */
  toSet(): ReadonlySet<WorkerId>;
  /** The ids, for `JSON.stringify`. */
  toJSON(): readonly WorkerId[];
}

const MIN_EPOCH_LENGTH = 1024;

/** A part of the history of busy workers. `end` is the set at its end, once it has ended. */
class Epoch {
  readonly ids: WorkerId[] = [];
  readonly on: boolean[] = [];
  end: readonly WorkerId[] | undefined;
}

/** The slots of workers, each of which stores its position in the list of busy workers, from 1; 0 when it is not in it. */
interface BusySlots {
  find(id: WorkerId): number;
  id(slot: number): WorkerId;
  busyPosition(slot: number): number;
  setBusyPosition(slot: number, position: number): void;
}

/**
 * The busy workers, and their history as a flat log of transitions.
 *
 * 1. A version of the set is a range of the log. Making one costs only its changes, and an old version references no newer
 *    one.
 * 2. When the log has become long compared with the set, a new epoch starts. The old epoch keeps its final set for the
 *    versions that still refer to it.
 * 3. The workers that are busy now are kept by slot: in a map by id, one flapping worker would cause endless rehashing.
 */
export class BusyLog {
  newest: BusySet;
  /** The slots of the busy workers. Each slot stores its position in this list. */
  private readonly dense: number[] = [];
  private epoch = new Epoch();
  private from = 0;

  constructor(private readonly slots: BusySlots) {
    this.newest = new BusySetOf(new Version(this, this.epoch, 0, 0, 0, 0));
  }

  isBusy(id: WorkerId): boolean {
    const slot = this.slots.find(id);
    return slot !== -1 && this.slots.busyPosition(slot) !== 0;
  }

  /** The number of workers that are busy now. */
  get size(): number {
    return this.dense.length;
  }

  /** The workers that are busy now, in no particular order. */
  members(): WorkerId[] {
    return this.dense.map((slot) => this.slots.id(slot));
  }

  /** Records the transition of a worker. The slot of a busy worker is not released. */
  record(slot: number, on: boolean): void {
    this.epoch.ids.push(this.slots.id(slot));
    this.epoch.on.push(on);
    if (on) {
      this.slots.setBusyPosition(slot, this.dense.push(slot));
      return;
    }
    const position = this.slots.busyPosition(slot);
    const last = this.dense.pop() as number;
    this.slots.setBusyPosition(slot, 0);
    if (last === slot) return;
    this.dense[position - 1] = last;
    this.slots.setBusyPosition(last, position);
  }

  /** The set after the transitions since the last call: a new version, or the same one if there were none. */
  commit(): BusySet {
    const to = this.epoch.ids.length;
    if (to === this.from) return this.newest;
    const version = new Version(this, this.epoch, this.from, to, this.newest.version + 1, this.size);
    this.newest = new BusySetOf(version);
    this.from = to;
    if (to >= Math.max(MIN_EPOCH_LENGTH, 2 * this.size)) this.beginEpoch();
    return this.newest;
  }

  private beginEpoch(): void {
    this.epoch.end = this.members();
    this.epoch = new Epoch();
    this.from = 0;
  }
}

/** One version: a range of the log, and its ids once they were read. */
class Version {
  private keptIds: readonly WorkerId[] | undefined;
  private keptSet: ReadonlySet<WorkerId> | undefined;

  constructor(
    readonly log: BusyLog,
    private readonly epoch: Epoch,
    private readonly from: number,
    private readonly to: number,
    readonly number: number,
    readonly size: number,
  ) {}

  get ids(): readonly WorkerId[] {
    return (this.keptIds ??= Object.freeze(this.members().sort(compareWorkerIds)));
  }

  get set(): ReadonlySet<WorkerId> {
    return (this.keptSet ??= new Set(this.ids));
  }

  has(id: WorkerId): boolean {
    return this.isNewest && this.keptSet === undefined ? this.log.isBusy(id) : this.set.has(id);
  }

  /** The ids that became busy or free, since the version before. */
  changes(on: boolean): readonly WorkerId[] {
    const ids: WorkerId[] = [];
    for (let i = this.from; i < this.to; i += 1)
      if (this.epoch.on[i] === on) ids.push(this.epoch.ids[i] as WorkerId);
    return ids.sort(compareWorkerIds);
  }

  private get isNewest(): boolean {
    return this.log.newest.version === this.number;
  }

  /** The members: the current set, or the set at the end of the epoch, with the later transitions undone. */
  private members(): WorkerId[] {
    if (this.isNewest) return this.log.members();
    const { ids, on, end } = this.epoch;
    const members = new Set(end ?? this.log.members());
    for (let i = ids.length - 1; i >= this.to; i -= 1) {
      const id = ids[i] as WorkerId;
      if (on[i] === true) members.delete(id);
      else members.add(id);
    }
    return [...members];
  }
}

/**
 * A version as a value, or a snapshot of it. `ids` is an enumerable property of the object itself, which is computed when it
 * is read: comparisons see the ids and nothing else, and making a version copies no ids.
 */
class BusySetOf implements BusySet {
  static readonly #idsProperty: PropertyDescriptor & ThisType<BusySetOf> = {
    enumerable: true,
    get() {
      return this.#version.ids;
    },
  };
  declare readonly ids: readonly WorkerId[];
  readonly #version: Version;
  readonly #isSnapshot: boolean;

  constructor(version: Version, isSnapshot = version.number === 0) {
    this.#version = version;
    this.#isSnapshot = isSnapshot;
    Object.defineProperty(this, 'ids', BusySetOf.#idsProperty);
  }

  static snapshotOf(busy: BusySet): BusySet {
    return #version in busy && !busy.#isSnapshot ? new BusySetOf(busy.#version, true) : busy;
  }

  /** Whether both belong to one run and their versions decide: an equal version, or the next one. */
  static areComparable(a: BusySet, b: BusySet): boolean {
    return (
      #version in a &&
      #version in b &&
      a.#version.log === b.#version.log &&
      Math.abs(a.#version.number - b.#version.number) <= 1
    );
  }

  get version(): number {
    return this.#version.number;
  }

  get size(): number {
    return this.#version.size;
  }

  get isSnapshot(): boolean {
    return this.#isSnapshot;
  }

  get added(): readonly WorkerId[] {
    return this.#isSnapshot ? this.ids : this.#version.changes(true);
  }

  get removed(): readonly WorkerId[] {
    return this.#isSnapshot ? [] : this.#version.changes(false);
  }

  has(id: WorkerId): boolean {
    return this.#version.has(id);
  }

  toSet(): ReadonlySet<WorkerId> {
    return this.#version.set;
  }

  toJSON(): readonly WorkerId[] {
    return this.ids;
  }

  [Symbol.iterator](): Iterator<WorkerId> {
    return this.ids[Symbol.iterator]();
  }

  [inspectCustom](...args: InspectArguments): string {
    return printAs('BusySet', this.toSet(), args);
  }
}

/**
 * The set for a receiver that has seen no set before: the same ids and the same version, but `added` is the whole set and
 * `removed` is empty. Its cost does not depend on the size.
 */
export function snapshotOf(busy: BusySet): BusySet {
  return BusySetOf.snapshotOf(busy);
}

/**
 * Whether two busy sets have the same ids.
 *
 * A version differs from the one before in the same run, so there the versions decide, at a cost that does not depend on
 * the size. Versions of different runs say nothing: then the ids are compared.
 */
export function isSameBusySet(a: BusySet, b: BusySet): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  if (BusySetOf.areComparable(a, b)) return a.version === b.version;
  return a.ids.every((id, index) => id === b.ids[index]);
}
