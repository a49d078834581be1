import type { FleetSource, FleetStart } from '../core/fleet-event.js';
import type { Drop, Leaver } from '../core/cleanup-drops.js';
import type { LoadPolicy } from '../core/load-policy.js';
import { LoadThresholdConfig } from '../core/load-threshold-config.js';
import type { Problem } from '../core/problem.js';
import type { RankMemory } from '../core/rank-memory.js';
import type { RankRange } from '../core/rank-range.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import type { ModelWorker } from './model-worker.js';

/** A card that counts, with the ranks it declares. */
export interface CountedCard {
  readonly card: RuntimeConfig;
  readonly range: RankRange;
}

/** The prefill watch that is open, and the one that waits for it to close. Watches are numbered from 0. */
export interface PrefillWatches {
  readonly attached: number;
  readonly open: number | null;
  readonly waiting: { readonly watch: number; readonly workerIds: ReadonlySet<WorkerId> } | null;
}

/** Everything the reference model knows. Immutable: a step makes a new one. */
export interface ModelState {
  readonly policy: LoadPolicy;
  readonly source: FleetSource;
  readonly phase: 'running' | 'ended' | 'stopped';
  readonly loadsOpen: boolean;
  readonly thresholds: LoadThresholdConfig;
  /** Every card that discovery told; `null` while no card source has spoken. */
  readonly cards: ReadonlyMap<WorkerId, RuntimeConfig> | null;
  readonly counted: ReadonlyMap<WorkerId, CountedCard>;
  /** The instances of the monitored endpoint and of the prefill watch; `null` while there is no such source. */
  readonly decode: ReadonlySet<WorkerId> | null;
  readonly prefill: ReadonlySet<WorkerId> | null;
  readonly watches: PrefillWatches;
  readonly down: ReadonlySet<WorkerId>;
  readonly workers: ReadonlyMap<WorkerId, ModelWorker>;
  readonly memory: ReadonlyMap<WorkerId, RankMemory>;
  /** The workers found busy when they were last judged, and those that the request path marked. */
  readonly judged: ReadonlySet<WorkerId>;
  readonly marked: ReadonlySet<WorkerId>;
  /** What was handed out: the busy workers, and since when each is busy. */
  readonly busy: ReadonlyMap<WorkerId, number>;
}

/** A state on its way through one event, with the series to drop and the problems found so far. */
export interface Change {
  readonly state: ModelState;
  readonly drops: readonly Drop[];
  readonly problems: readonly Problem[];
}

/** The state before the first event. */
export function initialState(policy: LoadPolicy, start: FleetStart = {}): ModelState {
  const prefill = start.prefillInstances === undefined ? null : new Set(start.prefillInstances);
  const attached = prefill !== null && policy.prefillWatches !== 'none';
  return {
    policy,
    source: start.source ?? 'aggregated',
    phase: 'running',
    loadsOpen: start.loads !== false,
    thresholds: LoadThresholdConfig.defaults(policy).update(start.thresholds ?? {}),
    cards: start.cards === true ? new Map() : null,
    counted: new Map(),
    decode: start.decodeInstances === undefined ? null : new Set(start.decodeInstances),
    prefill: attached ? prefill : null,
    watches: { attached: prefill === null ? 0 : 1, open: attached ? 0 : null, waiting: null },
    down: new Set(),
    workers: new Map(),
    memory: new Map(),
    judged: new Set(),
    marked: new Set(),
    busy: new Map(),
  };
}

/** The change with some fields of its state replaced. */
export function changed(change: Change, fields: Partial<ModelState>): Change {
  return { ...change, state: { ...change.state, ...fields } };
}

/** The change with one problem more. */
export function withProblem(change: Change, problem: Problem): Change {
  return { ...change, problems: [...change.problems, problem] };
}

/** A worker that leaves, with the roles it has before. */
export function leaverOf(state: ModelState, workerId: WorkerId): Leaver {
  return {
    workerId,
    decode: state.decode?.has(workerId) === true,
    prefill: state.prefill?.has(workerId) === true,
  };
}

/** Whether a worker is among the instances that requests can go to. */
export function isAvailable(state: ModelState, id: WorkerId): boolean {
  return (state.decode?.has(id) === true || state.prefill?.has(id) === true) && !state.down.has(id);
}

/** Whether a worker is known, and therefore judged, as the policy says. */
export function isKnown(state: ModelState, id: WorkerId): boolean {
  const rule = state.policy.unknownWorkers;
  if (rule.loads === 'tracked') return true;
  if (rule.loads === 'dropped') return state.decode?.has(id) === true && !state.down.has(id);
  if (state.cards !== null) return state.counted.has(id);
  return (state.decode === null && state.prefill === null) || isInstance(state, id);
}

/** Whether a worker is an instance in either role. */
export function isInstance(state: ModelState, id: WorkerId): boolean {
  return state.decode?.has(id) === true || state.prefill?.has(id) === true;
}
