import { type WorkerId, compareWorkerIds } from '../worker-id.js';
import { BUSY_POSITION, type WorkerSlots } from './worker-slots.js';

/**
 * The busy workers at one moment. Immutable for ever.
 *
 * 1. `version` grows by one with every set that differs from the one before; it is 0 for the first, empty set.
 * 2. `added` and `removed` are the differences from the version before, in ascending order of ids.
 * 3. `has` and `size` cost the same whatever the size, for the newest version. An older one pays for the changes
 *    since it was made, once, when it is first asked.
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

/** A stretch of the history of busy workers. `end` is the set at its end, once it is over. */
class Epoch {
  readonly ids: WorkerId[] = [];
  readonly on: boolean[] = [];
  end: readonly WorkerId[] | undefined;
}

/** Who is busy now, and how to look it up. */
interface PresentMembers {
  readonly newest: BusySet | undefined;
  members(): WorkerId[];
  isBusy(id: WorkerId): boolean;
}

/**
 * The busy workers and their history, as a flat log of who crossed. A version of the set is a range of the log:
 * making one costs nothing but its changes, whatever the size, and an old one points at no newer one. When the log
 * has become long against the set, a new one is begun, and the old one keeps the set it ended with for the versions
 * that still point at it. Who is busy now is kept by slot: a map by id would be rehashed for ever by one worker that
 * flaps.
 */
export class BusyLog implements PresentMembers {
  newest: BusySet;
  /** The slots of the busy workers; each slot has its place here. */
  private readonly dense: number[] = [];
  private epoch = new Epoch();
  private from = 0;

  constructor(private readonly slots: WorkerSlots) {
    this.newest = new BusyVersion(this, this.epoch, 0, 0, 0, 0);
  }

  isBusy(id: WorkerId): boolean {
    const slot = this.slots.find(id);
    return slot !== -1 && this.slots.words[this.slots.at(slot) + BUSY_POSITION] !== 0;
  }

  /** How many workers are busy now. */
  get size(): number {
    return this.dense.length;
  }

  /** The busy workers, in no order. */
  members(): WorkerId[] {
    return this.dense.map((slot) => this.slots.id(slot));
  }

  /** Notes that the worker in a slot crossed. A busy worker's slot is not given back. */
  record(slot: number, on: boolean): void {
    this.epoch.ids.push(this.slots.id(slot));
    this.epoch.on.push(on);
    const { words } = this.slots;
    const at = this.slots.at(slot) + BUSY_POSITION;
    if (on) {
      words[at] = this.dense.push(slot);
      return;
    }
    const place = words[at] ?? 0;
    const last = this.dense.pop() as number;
    words[at] = 0;
    if (last === slot) return;
    this.dense[place - 1] = last;
    words[this.slots.at(last) + BUSY_POSITION] = place;
  }

  /** The set after the crossings noted since the last call: a new version, or the same when there were none. */
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

  /** The members, from the present set or that at the end of the epoch, with everything since taken back. */
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
