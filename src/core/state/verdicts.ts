import { type Explanation, type RankExplanation, explainRank } from '../judgement/explanation.js';
import { judgedRanks, neededRanks } from '../judgement/is-busy.js';
import type { RankRange, RankState, RankStates } from '../judgement/rank-state.js';
import { type UnknownReason, type WorkerState, unknownReasonOf } from '../judgement/worker-state.js';
import { type Verdict, type VerdictReason, judge } from '../judgement/verdict.js';
import { type InspectArguments, inspectCustom, printAs } from '../ordinary-value.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import { type WorkerId, compareWorkerIds } from '../worker-id.js';
import type { Transition } from './fleet-step.js';
import type { FleetStore } from './fleet-store.js';
import { isKnown } from './known-workers.js';
import type { LimitClasses } from './limit-classes.js';
import type { CellsCopy, Touched } from './storage/workers.js';

/**
 * An immutable copy of the range and the cells of one worker. It contains the class of the capacities instead of the
 * capacities, since the capacities of a class never change.
 */
export class RankSnapshot {
  private readonly declared: RankRange | null;
  private readonly cells: CellsCopy;
  private readonly classes: LimitClasses;

  constructor({ workers, classes }: FleetStore, slot: number) {
    this.declared = workers.hasRange(slot) ? workers.range(slot) : null;
    this.cells = workers.ranks.copy(workers.firstCell(slot), workers.rankCount(slot));
    this.classes = classes;
  }

  /** The ranks in the form that the judgement takes. */
  states(): RankStates {
    const { cells } = this;
    const ranks = new Map<number, RankState>();
    for (let cell = 0; cell < cells.count; cell += 1)
      ranks.set(cells.rank(cell), cells.state(cell, this.classes));
    return { declared: this.declared, ranks };
  }
}

/** What a verdict is computed from: everything as it was at the transition. */
export interface VerdictInputs {
  readonly reason: VerdictReason;
  readonly ranks: RankSnapshot;
  readonly thresholds: LoadThresholds;
  readonly policy: LoadPolicy;
}

/**
 * A transition whose verdict is computed when it is first read: computing it costs many times as much as the transition
 * itself, and most verdicts are never read. `verdict` is an enumerable property of the object itself, so that deep-equal
 * comparisons, copies and JSON contain it.
 */
class LazyTransition implements Transition {
  static readonly #verdictProperty: PropertyDescriptor & ThisType<LazyTransition> = {
    enumerable: true,
    get() {
      return this.#computeVerdict();
    },
  };
  declare readonly verdict: Verdict;
  /** The inputs until the verdict is first read, then the verdict. */
  #verdict: VerdictInputs | Verdict;

  constructor(
    readonly workerId: WorkerId,
    readonly from: WorkerState,
    readonly to: WorkerState,
    readonly busy: boolean,
    readonly at: number,
    inputs: VerdictInputs,
  ) {
    this.#verdict = inputs;
    Object.defineProperty(this, 'verdict', LazyTransition.#verdictProperty);
  }

  [inspectCustom](...args: InspectArguments): string {
    return printAs('Transition', { ...this }, args);
  }

  #computeVerdict(): Verdict {
    if (!('thresholds' in this.#verdict)) return this.#verdict;
    const { ranks, thresholds, policy, reason } = this.#verdict;
    const given = { state: this.to, reason, since: this.at };
    return (this.#verdict = judge(this.workerId, ranks.states(), thresholds, policy, given));
  }
}

const noTransitions: readonly Transition[] = [];

/** The transitions of the current event, in ascending order of ids. They update the busy set and the counts. */
export function publishTransitions(store: FleetStore, now: number): readonly Transition[] {
  const { workers } = store;
  if (workers.isUntouched) return noTransitions;
  const changed = workers.takeTransitions();
  if (changed.length > 1) changed.sort((a, b) => compareWorkerIds(workers.id(a.slot), workers.id(b.slot)));
  return changed.map((touched) => publishTransition(store, touched, now));
}

function publishTransition(store: FleetStore, { slot, onlyMarked }: Touched, now: number): Transition {
  const { workers, policy } = store;
  const id = workers.id(slot);
  const from = workers.state(slot);
  const to = workers.publish(slot, now);
  const ranks = new RankSnapshot(store, slot);
  return new LazyTransition(id, from, to, to === 'busy', now, {
    reason: reasonOf(store, slot, to, onlyMarked),
    ranks,
    thresholds: store.thresholdsOf(id),
    policy,
  });
}

function reasonOf(
  { workers }: FleetStore,
  slot: number,
  to: WorkerState,
  onlyMarked: boolean,
): VerdictReason {
  if (to === 'busy') return workers.isJudgedBusy(slot) ? 'load' : 'overload-mark';
  if (onlyMarked) return 'overload-mark-ended';
  return workers.hasState(slot) ? 'load' : 'left';
}

/** Why a worker has its state; `undefined` for a worker of which nothing is known. */
export function explain(store: FleetStore, workerId: WorkerId): Explanation | undefined {
  const { workers, policy, ownThresholds } = store;
  const thresholds = store.thresholdsOf(workerId);
  const slot = workers.find(workerId);
  if (slot === -1 || workers.isEmpty(slot)) return undefined;
  const states = new RankSnapshot(store, slot).states();
  const judged = judgedRanks(states, policy);
  const ranks = [...judged.reported]
    .sort(([a], [b]) => a - b)
    .map(([rank, state]) => explainRank(rank, state, thresholds, policy));
  const state = workers.state(slot);
  const known = isKnown(workers, policy, slot);
  const parts = {
    workerId,
    busy: state === 'busy',
    state,
    unknownReason: state === 'unknown' ? unknownReasonOf(() => states, thresholds, policy, known) : null,
    known: workers.hasState(slot) && known,
    overloadMarked: workers.isOverloadMarked(slot),
    since: workers.since(slot),
    judgedRanks: judged.count,
    busyRanks: ranks.filter((rank) => rank.busy).length,
    neededRanks: neededRanks(policy.rollUp, judged.count),
    silentRanks: judged.count - judged.reported.size,
    ranks,
  };
  const hasOwn = ownThresholds.of(workerId) !== undefined;
  return { ...parts, text: explanationText(parts, thresholds.isConfigured(), hasOwn, policy) };
}

/** What an explanation says about a reason that no other line of it gives. */
const reasonTexts: Readonly<Partial<Record<UnknownReason, string>>> = {
  'not-heard': 'no load has arrived from it',
  'no-capacity': 'its blocks cannot be compared: its config has no KV blocks, or 0',
  'no-signal': 'its loads lack the value that a set threshold compares',
};

/** The present workers that are unknown, by reason: how many, and one of them. */
export function unknownWorkers(
  store: FleetStore,
): Map<UnknownReason, { count: number; readonly workerId: WorkerId }> {
  const found = new Map<UnknownReason, { count: number; readonly workerId: WorkerId }>();
  const { workers, policy } = store;
  for (const slot of workers.all()) {
    if (workers.tally(slot) !== 'unknown') continue;
    const states = (): RankStates =>
      workers.rankCount(slot) === 0 ? silent : new RankSnapshot(store, slot).states();
    const id = workers.id(slot);
    const reason = unknownReasonOf(states, store.thresholdsOf(id), policy, isKnown(workers, policy, slot));
    const known = found.get(reason);
    if (known === undefined) found.set(reason, { count: 1, workerId: id });
    else known.count += 1;
  }
  return found;
}

/** A worker without ranks that have values. */
const silent: RankStates = { declared: null, ranks: new Map() };

function explanationText(
  parts: Omit<Explanation, 'text'>,
  hasThresholds: boolean,
  hasOwn: boolean,
  { withoutEvidence }: LoadPolicy,
): string {
  const { state, since, unknownReason, silentRanks } = parts;
  const lines = [
    `worker ${parts.workerId} is ${state}${since === null ? '' : ` since ${since} ms`}: ` +
      `${parts.busyRanks} of ${parts.judgedRanks} ranks busy, ${parts.neededRanks} needed`,
  ];
  if (hasOwn) lines.push('it has thresholds of its own');
  if (!hasThresholds) lines.push('no threshold is set, so no load makes a worker busy');
  const reason = reasonTexts[unknownReason ?? 'no-threshold'];
  if (reason !== undefined && silentRanks === 0) lines.push(reason);
  if (!parts.known && unknownReason !== 'not-heard')
    lines.push('it is not judged: discovery does not know it');
  if (parts.overloadMarked) lines.push('it has an overload mark');
  if (silentRanks > 0) {
    const ranks = silentRanks === 1 ? 'rank is silent and counts' : 'ranks are silent and count';
    lines.push(`${silentRanks} declared ${ranks} as ${withoutEvidence}`);
  }
  for (const rank of parts.ranks) lines.push(...rankLines(rank));
  return lines.join('\n');
}

function rankLines({ rank, checks }: RankExplanation): string[] {
  return checks.map(({ check, standing, value, limit, margin }) =>
    limit === null
      ? `rank ${rank} ${check}: ${standing}${value === null ? '' : `, value ${value}`}`
      : `rank ${rank} ${check}: ${value} ${standing} ${limit}${margin === null ? '' : `, margin ${margin}`}`,
  );
}
