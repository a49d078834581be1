import type { Count } from '../../count.js';
import type { Role } from '../../events/fleet-event.js';
import type { FleetCounts } from '../../judgement/fleet-state.js';
import { type RankRange, inRange } from '../../judgement/rank-state.js';
import type { WorkerState } from '../../judgement/worker-state.js';
import type { LoadPolicy } from '../../policy/load-policy.js';
import type { WorkerId } from '../../worker-id.js';
import { BusyLog } from '../busy-set.js';
import type { CapacityLayer } from '../limit-classes.js';
import { isKnown } from '../known-workers.js';
import type { RankMemory } from '../rank-memory.js';
import { RankCells, type RankFacts, receiptOf } from './rank-cells.js';
import {
  COUNTED,
  DECODE,
  DOWN,
  HAS_RANGE,
  HAS_STATE,
  JUDGED_BUSY,
  JUDGED_FREE,
  OVERLOAD_MARKED,
  POSSIBLE,
  PREFILL,
  PUBLISHED,
  PUBLISHED_FREE,
  REPORTED,
  TOUCHED,
  TO_JUDGE,
  type WorkerSource,
  WorkerSlots,
} from './worker-slots.js';
import { WorkerNumbers } from './worker-numbers.js';

export type { CellsCopy } from './rank-cells.js';
export type { WorkerSlots } from './worker-slots.js';

/** A worker that may have a transition in the current event, and whether only its overload mark made it busy before. */
export interface Touched {
  readonly slot: number;
  readonly onlyMarked: boolean;
}

/**
 * The workers of a load state and the values of their ranks, in flat typed arrays, and the only way to change them.
 *
 * 1. Every change of a worker by itself notes what follows from it. A change of what makes the worker busy remembers what
 *    did before, for the transition. A change that may alter its judgement queues the worker until an event judges it. A
 *    change after which nothing is known about the worker lets its slot be released at the end of the event.
 * 2. The counts, and the sets of held, unsettled and marked workers, always agree with the workers.
 * 3. A change to the value that is already stored changes nothing, and nothing follows from it.
 * 4. The values, the latch and the limits of a rank take effect when the rank is judged again, as in `judge-rank.ts`.
 */
export class Workers extends WorkerSlots {
  /** The workers in the busy set. */
  readonly busy = new BusyLog(this);
  private readonly cells = new RankCells();
  private readonly unsettledWorkers = new Set<number>();
  private readonly heldWorkers = new Set<number>();
  private readonly markedWorkers = new Set<number>();
  /** The values of ranks, by cell. */
  readonly ranks: RankFacts = this.cells;
  /** Workers that have a state but no config that counts, or a config that counts but is not in their state. */
  readonly unsettled: ReadonlySet<number> = this.unsettledWorkers;
  /** Workers whose loads are held until they are known, the oldest first. */
  readonly held: ReadonlySet<number> = this.heldWorkers;
  readonly overloadMarked: ReadonlySet<number> = this.markedWorkers;
  private readonly olderRanks = new Map<number, RankMemory>();
  private readonly layers = new Map<number, readonly CapacityLayer[]>();
  private readonly numbers = new WorkerNumbers();
  /** When the current event was received, as a word. */
  private receipt = receiptOf(NaN);
  /** The workers to judge at the next event that judges. */
  private queued: number[] = [];
  private touched: Touched[] = [];
  /** Slots that may have become empty. They are released at the end of the event. */
  private maybeEmpty: number[] = [];

  constructor(private readonly policy: LoadPolicy) {
    super(policy.withoutEvidence);
  }

  /** Notes when the current event was received, in milliseconds; NaN if that is unknown. */
  receivedAt(ms: number): void {
    this.receipt = receiptOf(ms);
  }

  /** Notes that a source has emitted. Its first event may change which workers are known. Returns whether it is the first. */
  see(source: WorkerSource): boolean {
    if (this.hasSeen(source)) return false;
    this.setSeen(source);
    for (const slot of this.all()) this.review(slot);
    return true;
  }

  /** Stores the config that discovery reports for a worker: the ranks, or start and size of an impossible range. */
  reportConfig(slot: number, range: RankRange, isPossible: boolean, limits: number): void {
    this.setReported(slot, range, limits);
    this.set(slot, REPORTED);
    this.set(slot, POSSIBLE, isPossible);
  }

  /** Notes that discovery removed the config of a worker. Its words are kept. */
  removeConfig(slot: number): void {
    this.clear(slot, REPORTED | POSSIBLE);
  }

  /** Notes whether the config of a worker counts. */
  setCounted(slot: number, on: boolean): void {
    if (this.isCounted(slot) === on) return;
    if (on) this.set(slot, COUNTED);
    else this.clear(slot, COUNTED);
    this.review(slot);
  }

  /** Notes an instance of a role. */
  join(slot: number, role: Role): void {
    if (this.hasRole(slot, role)) return;
    if (!this.hasInstance(slot)) this.numbers.instances += 1;
    this.set(slot, bitOf(role));
    this.review(slot);
  }

  /** Notes that an instance of a role left. Without an instance, the worker is not down. */
  leave(slot: number, role: Role): void {
    if (!this.hasRole(slot, role)) return;
    this.clear(slot, bitOf(role));
    if (!this.hasInstance(slot)) {
      this.numbers.instances -= 1;
      this.setDown(slot, false);
    }
    this.review(slot);
  }

  /** Notes whether a worker that has an instance was reported down. */
  setDown(slot: number, on: boolean): void {
    if (this.isDown(slot) === on || (on && !this.hasInstance(slot))) return;
    this.set(slot, DOWN, on);
    this.numbers.down += on ? 1 : -1;
    this.review(slot);
  }

  setOverloadMark(slot: number, on: boolean): void {
    if (this.isOverloadMarked(slot) === on) return;
    this.touch(slot);
    if (on) {
      this.set(slot, OVERLOAD_MARKED);
      this.markedWorkers.add(slot);
    } else {
      this.clear(slot, OVERLOAD_MARKED);
      this.markedWorkers.delete(slot);
    }
  }

  /** Whether a worker waits to be judged. */
  get hasQueued(): boolean {
    return this.queued.length > 0;
  }

  /** The workers that wait to be judged, and now wait no more. */
  takeQueued(): readonly number[] {
    const { queued } = this;
    this.queued = [];
    for (const slot of queued) this.clear(slot, TO_JUDGE);
    return queued;
  }

  /** Stores the judgement of a worker, and returns whether it became busy or is busy no more. */
  judge(slot: number, state: WorkerState): boolean {
    const before = this.judgedState(slot);
    if (before === state) return false;
    this.touch(slot);
    this.clear(slot, JUDGED_BUSY | JUDGED_FREE);
    if (state === 'busy') this.set(slot, JUDGED_BUSY);
    else if (state !== this.withoutEvidence) this.set(slot, JUDGED_FREE);
    return before === 'busy' || state === 'busy';
  }

  /** Makes a worker count as one without evidence until it is judged again. */
  forgetJudgement(slot: number): void {
    if (this.judgedState(slot) === this.withoutEvidence) return;
    this.judge(slot, this.withoutEvidence);
    this.queue(slot);
  }

  /** Remembers ranks that are not in the worker's current config or cells; `undefined` forgets them. */
  rememberOlder(slot: number, memory: RankMemory | undefined): void {
    if (memory !== undefined) this.olderRanks.set(slot, memory);
    else if (!this.olderRanks.delete(slot)) return;
    this.settle(slot);
    if (this.isEmpty(slot)) this.maybeEmpty.push(slot);
  }

  /** The remembered ranks that are not in the worker's current config or cells. */
  olderMemory(slot: number): RankMemory | undefined {
    return this.olderRanks.get(slot);
  }

  /** Makes a state for a worker that has none. */
  createState(slot: number): void {
    if (this.hasState(slot)) return;
    this.set(slot, HAS_STATE);
    this.numbers.states += 1;
    this.review(slot);
  }

  /** Forgets the values of a worker's ranks, and its capacities. */
  forgetState(slot: number): void {
    if (!this.hasState(slot)) return;
    const block = this.block(slot);
    this.cells.release(block);
    this.setBlock(slot, block);
    this.setRanks(slot, 0, 0, 0);
    this.clear(slot, HAS_STATE | HAS_RANGE);
    this.layers.delete(slot);
    this.numbers.states -= 1;
    this.review(slot);
  }

  /** Stores the range and the capacities that the newest config gives to a worker's state, and the layers below them. */
  declare(slot: number, range: RankRange, limits: number, layers: readonly CapacityLayer[]): void {
    this.setRange(slot, range, limits);
    this.set(slot, HAS_RANGE);
    if (layers.length > 0) this.layers.set(slot, layers);
    else this.layers.delete(slot);
    this.review(slot);
  }

  /** The capacities of a worker whose newest config does not cover all older ones, the newest last. */
  layersOf(slot: number): readonly CapacityLayer[] | undefined {
    return this.layers.get(slot);
  }

  /** The cell of a rank, or -1. */
  findCell(slot: number, rank: number): number {
    return this.cells.find(this.firstCell(slot), this.rankCount(slot), rank);
  }

  /** Makes a cell without values for a rank that has none. `expected` is the number of ranks that the worker may have. */
  addCell(slot: number, rank: number, limits: number, expected: number): number {
    const block = this.block(slot);
    const cell = this.cells.insert(block, rank, limits, expected);
    this.setBlock(slot, block);
    return cell;
  }

  /** Forgets the values of the ranks outside a range. */
  keepRanks(slot: number, range: RankRange): void {
    const block = this.block(slot);
    this.cells.keep(block, (rank) => inRange(rank, range));
    if (block.count === this.rankCount(slot)) return;
    this.setBlock(slot, block);
    let [busy, free, counted] = [0, 0, 0];
    for (let cell = block.base; cell < block.base + block.count; cell += 1) {
      if (this.cells.isBusy(cell)) busy += 1;
      if (this.cells.isFree(cell)) free += 1;
      if (this.cells.isCounted(cell)) counted += 1;
    }
    this.setRanks(slot, busy, free, counted);
    this.queue(slot);
  }

  /** Stores the values of a load; `null` keeps the last value. */
  storeLoad(cell: number, active: Count | null, tokens: Count | null, used: Count | null): void {
    this.cells.store(cell, active, tokens, used, this.receipt);
  }

  setLimits(cell: number, limits: number): void {
    this.cells.setLimits(cell, limits);
  }

  setLatch(cell: number, latched: boolean, activeCleared: boolean, usedCleared: boolean): void {
    this.cells.setLatch(cell, latched, activeCleared, usedCleared);
  }

  removeLatch(cell: number): void {
    this.cells.removeLatch(cell);
  }

  /** Stores the judgement of a rank; `null`: it does not count. */
  judgeRank(slot: number, cell: number, state: WorkerState | null): void {
    if (!this.cells.hasVerdict(cell, state)) this.changeRank(slot, cell, state);
  }

  /** The workers whose state the current event changed. */
  takeTransitions(): Touched[] {
    const { touched } = this;
    this.touched = [];
    for (const { slot } of touched) this.set(slot, TOUCHED, false);
    return touched.filter(({ slot }) => this.nextState(slot) !== this.state(slot));
  }

  /** Publishes the state of a worker according to its judgement and its overload mark, and returns it. */
  publish(slot: number, now: number): WorkerState {
    const before = this.state(slot);
    const state = this.nextState(slot);
    this.clear(slot, PUBLISHED | PUBLISHED_FREE);
    if (state === 'busy') this.set(slot, PUBLISHED);
    else if (state !== this.withoutEvidence) this.set(slot, PUBLISHED_FREE);
    this.setSince(slot, now);
    if ((before === 'busy') !== (state === 'busy')) this.busy.record(slot, state === 'busy');
    this.count(slot);
    return state;
  }

  /** Whether the current event changed the state of no worker, and left no slot to release. */
  get isUntouched(): boolean {
    return this.touched.length === 0 && this.maybeEmpty.length === 0;
  }

  /** Releases the slots of workers about which nothing is known any more. */
  releaseEmpty(): void {
    const { maybeEmpty } = this;
    if (maybeEmpty.length === 0) return;
    this.maybeEmpty = [];
    for (const slot of maybeEmpty) {
      if (!this.isEmpty(slot) || this.olderRanks.has(slot) || this.find(this.id(slot)) !== slot) continue;
      this.release(slot);
    }
  }

  /** The workers in numbers: the given object if they did not change. */
  counts(last?: FleetCounts): FleetCounts {
    return this.numbers.counts(last, this.busy.size, this.held.size, this.overloadMarked.size);
  }

  private changeRank(slot: number, cell: number, state: WorkerState | null): void {
    const { cells } = this;
    const busy = this.busyRanks(slot) + Number(state === 'busy') - Number(cells.isBusy(cell));
    const free = this.freeRanks(slot) + Number(state === 'free') - Number(cells.isFree(cell));
    const counted = this.countedRanks(slot) + Number(state !== null) - Number(cells.isCounted(cell));
    cells.setVerdict(cell, state);
    this.setRanks(slot, busy, free, counted);
    this.queue(slot);
  }

  private nextState(slot: number): WorkerState {
    return this.isOverloadMarked(slot) ? 'busy' : this.judgedState(slot);
  }

  /** Counts a worker as what it is now. */
  private count(slot: number): void {
    const before = this.tally(slot);
    const now = this.isPresent(slot) ? this.state(slot) : 'absent';
    if (before === now) return;
    this.numbers.move(before, now);
    this.setTally(slot, now);
  }

  /** Notes that whether a worker is known, or what it is judged by, may have changed. */
  private review(slot: number): void {
    this.settle(slot);
    this.count(slot);
    this.queue(slot);
  }

  /** Queues a worker until an event judges it. */
  private queue(slot: number): void {
    if (this.isQueued(slot)) return;
    this.set(slot, TO_JUDGE);
    this.queued.push(slot);
  }

  /** Notes that a worker may have a transition in this event. */
  private touch(slot: number): void {
    if (this.isTouched(slot)) return;
    this.set(slot, TOUCHED);
    const onlyMarked = this.isOverloadMarked(slot) && !this.isJudgedBusy(slot);
    this.touched.push({ slot, onlyMarked });
  }

  protected override add(id: WorkerId): number {
    const slot = super.add(id);
    this.maybeEmpty.push(slot);
    return slot;
  }

  /** Clears bits of the status. */
  private clear(slot: number, bits: number): void {
    this.set(slot, bits, false);
    if (this.isEmpty(slot)) this.maybeEmpty.push(slot);
  }

  /** Updates the sets of unsettled and of held workers. */
  private settle(slot: number): void {
    const holds = this.policy.unknownWorkers.loads === 'held';
    const isUnsettled = this.isCounted(slot)
      ? !this.hasRange(slot)
      : !holds && (this.hasState(slot) || this.olderRanks.has(slot));
    if (isUnsettled) this.unsettledWorkers.add(slot);
    else this.unsettledWorkers.delete(slot);
    if (!holds) return;
    if (this.hasState(slot) && !isKnown(this, this.policy, slot)) this.heldWorkers.add(slot);
    else this.heldWorkers.delete(slot);
  }
}

function bitOf(role: Role): number {
  return role === 'decode' ? DECODE : PREFILL;
}
