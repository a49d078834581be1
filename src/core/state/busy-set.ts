import { type WorkerId, compareWorkerIds } from '../worker-id.js';

/**
 * The busy workers at one moment. Immutable.
 *
 * 1. `version` is 0 for the initial, empty set, and one more for every set that differs from the one before.
 * 2. `added` and `removed` are the differences from the version before, in ascending order of ids.
 * 3. For the newest version, the cost of `has` and `size` does not depend on the size. An older version is reconstructed
 *    once, when it is first read, at the cost of the changes since then.
 * 4. Iteration is in ascending order of ids.
 */
export interface BusySet extends Iterable<WorkerId> {
  readonly version: number;
  readonly size: number;
  readonly added: readonly WorkerId[];
  readonly removed: readonly WorkerId[];
  has(workerId: WorkerId): boolean;
  /** The same ids as a Set, made on first use and kept. */
  toSet(): ReadonlySet<WorkerId>;
}

const MIN_EPOCH_LENGTH = 1024;

/** A part of the history of busy workers. `end` is the set at its end, once it has ended. */
class Epoch {
  readonly ids: WorkerId[] = [];
  readonly on: boolean[] = [];
  end: readonly WorkerId[] | undefined;
}

/** The workers that are busy now. */
interface PresentMembers {
  readonly newest: BusySet | undefined;
  members(): WorkerId[];
  isBusy(id: WorkerId): boolean;
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
export class BusyLog implements PresentMembers {
  newest: BusySet;
  /** The slots of the busy workers. Each slot stores its position in this list. */
  private readonly dense: number[] = [];
  private epoch = new Epoch();
  private from = 0;

  constructor(private readonly slots: BusySlots) {
    this.newest = new BusyVersion(this, this.epoch, 0, 0, 0, 0);
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
    this.newest = new BusyVersion(this, this.epoch, this.from, to, this.newest.version + 1, this.size);
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

class BusyVersion implements BusySet {
  private kept: ReadonlySet<WorkerId> | undefined;

  constructor(
    private readonly present: PresentMembers,
    private readonly epoch: Epoch,
    private readonly from: number,
    private readonly to: number,
    readonly version: number,
    readonly size: number,
  ) {}

  get added(): readonly WorkerId[] {
    return this.changes(true);
  }

  get removed(): readonly WorkerId[] {
    return this.changes(false);
  }

  has(id: WorkerId): boolean {
    if (this.kept !== undefined) return this.kept.has(id);
    return this.present.newest === this ? this.present.isBusy(id) : this.toSet().has(id);
  }

  toSet(): ReadonlySet<WorkerId> {
    return (this.kept ??= new Set(this.membersNow().sort(compareWorkerIds)));
  }

  [Symbol.iterator](): Iterator<WorkerId> {
    return this.toSet()[Symbol.iterator]();
  }

  /** The members: the current set, or the set at the end of the epoch, with the later transitions undone. */
  private membersNow(): WorkerId[] {
    if (this.present.newest === this) return this.present.members();
    const { ids, on, end } = this.epoch;
    const members = new Set(end ?? this.present.members());
    for (let i = ids.length - 1; i >= this.to; i -= 1) {
      const id = ids[i] as WorkerId;
      if (on[i] === true) members.delete(id);
      else members.add(id);
    }
    return [...members];
  }

  private changes(on: boolean): readonly WorkerId[] {
    const ids: WorkerId[] = [];
    for (let i = this.from; i < this.to; i += 1)
      if (this.epoch.on[i] === on) ids.push(this.epoch.ids[i] as WorkerId);
    return ids.sort(compareWorkerIds);
  }
}
