import type { TimestampProvider } from 'rxjs';
import type { FleetEvent, FleetStart, ThresholdsChanged } from '../events/fleet-event.js';
import type { LoadBatch } from '../events/load-batch.js';
import type { Explanation } from '../judgement/explanation.js';
import type { FleetCounts } from '../judgement/fleet-state.js';
import type { WorkerState } from '../judgement/worker-state.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import { type LoadThresholdConfig, thresholdProblems } from '../policy/load-threshold-config.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';
import { applyConfig, applyConfigs } from './apply-configs.js';
import {
  applyInstance,
  applyInstances,
  applyPrefillAttached,
  applyPrefillClosed,
  applyPrefillInstance,
  applyPrefillInstances,
  applyReportedDown,
} from './apply-instances.js';
import { applyLoad, applyRow, applySchedulerLoads } from './apply-loads.js';
import type { BusySet } from './busy-set.js';
import { mergeCleanups } from './cleanup.js';
import { fleetProblems } from './fleet-problems.js';
import { type FleetRanks, RankCopy } from './fleet-ranks.js';
import type { FleetStep } from './fleet-step.js';
import { FleetStore } from './fleet-store.js';
import {
  applyOverloadMark,
  applyOverloadMarkExpired,
  judgeQueued,
  renewLimits,
  renewLimitsOf,
} from './judge-workers.js';
import { memoryOf, planLeaving } from './leaving.js';
import { MAX_WORKERS_WITH_THRESHOLDS } from './own-thresholds.js';
import { rememberedRanks } from './rank-memory.js';
import { appliesTo, changeInEvent, ownThresholdsIn, workerOf } from './threshold-changes.js';
import { explain, publishTransitions } from './verdicts.js';

/** Applies a change of thresholds, or reports it as refused. */
function applyThresholds(store: FleetStore, event: ThresholdsChanged): void {
  if (!appliesTo(event, store.poolRole)) return;
  const refused = event.checked === true ? thresholdProblems(changeInEvent(event), store.policy) : [];
  if (refused.length > 0) {
    store.problems.push(...refused.map((text) => fleetProblems.thresholdOutOfRange(text)));
    return;
  }
  const workerId = workerOf(event);
  if (workerId === undefined) setThresholds(store, event);
  else setThresholdsOf(store, workerId, event);
  judgeQueued(store, 'thresholds');
}

function setThresholds(store: FleetStore, event: ThresholdsChanged): void {
  const before = store.thresholds;
  store.thresholds = before.update(event, event.nullTurnsOff);
  if (store.thresholds === before) return;
  renewLimits(store);
  store.problems.push(...store.signals.report(store.thresholds, store.policy));
}

function setThresholdsOf(store: FleetStore, workerId: WorkerId, event: ThresholdsChanged): void {
  const { ownThresholds, policy, problems } = store;
  const own = ownThresholdsIn(event, policy);
  if (own === null) ownThresholds.remove(workerId);
  else if (ownThresholds.of(workerId) === undefined && ownThresholds.size >= MAX_WORKERS_WITH_THRESHOLDS) {
    problems.push(fleetProblems.tooManyThresholds(workerId, MAX_WORKERS_WITH_THRESHOLDS));
    return;
  } else ownThresholds.set(workerId, own, store.thresholds);
  renewLimitsOf(store, workerId);
  problems.push(...store.signals.report(store.thresholdsOf(workerId), policy));
}

/** Applies the end of a source, with the effect that the policy gives it. */
function applyEnd(
  store: FleetStore,
  source: Problem['source'],
  rule: LoadPolicy['loadsEnded' | 'configsEnded' | 'instancesEnded'],
): void {
  store.problems.push(fleetProblems.sourceEnded(source, rule));
  if (rule === 'ends-monitor') store.phase = 'ended';
}

/** Stops, and plans the cleanups of the policy. */
function applyStop(store: FleetStore): void {
  store.phase = 'stopped';
  if (store.policy.stop === 'silent') return;
  const { workers } = store;
  for (const slot of workers.all()) {
    const memory = workers.isCounted(slot) ? undefined : memoryOf(store, slot);
    if (memory === undefined) continue;
    planLeaving(store, slot, { types: 'own', withoutRank: true }, rememberedRanks(memory), null);
  }
}

/**
 * The load state of one pool: it turns events into steps. It decides exactly as the reference model does, at a cost that
 * does not grow with the pool.
 *
 * 1. An event that changes nothing makes no step.
 * 2. A load costs the same with 10 workers and with 100 000, apart from memory latency. So do a single config and a single
 *    instance, except under policies whose configs take effect on all workers (`dynamo-1.6`). The cost of a snapshot grows
 *    with the pool.
 * 3. It is mutable, but shares no mutable state: the contents of a step never change.
 */
export class FleetLoad {
  private readonly store: FleetStore;
  private counts: FleetCounts;

  constructor(policy: LoadPolicy, start: FleetStart = {}) {
    this.store = new FleetStore(policy, start);
    this.counts = this.store.workers.counts();
  }

  /** The busy set of the last step. */
  get busy(): BusySet {
    return this.store.workers.busy.newest;
  }

  /** The workers in numbers; the same object until one of the numbers changes. */
  get fleet(): FleetCounts {
    return this.counts;
  }

  /** The thresholds in force. */
  get thresholds(): LoadThresholdConfig {
    return this.store.thresholds;
  }

  /** Whether it was stopped, or ended because a source ended. It judges nothing after that. */
  get ended(): boolean {
    return this.store.phase !== 'running';
  }

  /** The step before the first event: the initial, empty busy set, and no transitions, cleanups and problems. */
  firstStep(at: number): FleetStep {
    const { thresholds } = this.store;
    return {
      at,
      busy: this.busy,
      fleet: this.counts,
      thresholds,
      transitions: [],
      cleanups: [],
      problems: [],
    };
  }

  /** The published state of a worker; `undefined` for a worker of which nothing is known. */
  stateOf(workerId: WorkerId): WorkerState | undefined {
    const { workers } = this.store;
    const slot = workers.find(workerId);
    return slot === -1 || workers.isEmpty(slot) ? undefined : workers.state(slot);
  }

  /** Why a worker has its state now; `undefined` for a worker of which nothing is known. */
  explain(workerId: WorkerId): Explanation | undefined {
    return explain(this.store, workerId);
  }

  /** A copy of the present workers and their ranks as they are now. */
  ranks(): FleetRanks {
    return new RankCopy(this.store);
  }

  /** Applies an event at a time in milliseconds, and returns its step; `null` when it changed nothing. */
  apply(event: FleetEvent, now: number): FleetStep | null {
    const { store } = this;
    const { thresholds } = store;
    store.workers.receivedAt(now);
    if (store.phase === 'running') this.dispatch(event);
    return this.stepAfter(now, store.thresholds !== thresholds);
  }

  /**
   * Applies one row of a batch, as {@link apply} does with the load that the row represents. The clock is read only for a
   * step, since reading it costs as much as a load without a step.
   */
  applyRow(batch: LoadBatch, row: number, clock: TimestampProvider): FleetStep | null {
    if (this.store.phase === 'running') applyRow(this.store, batch, row);
    return this.isUntouched() ? null : this.stepAfter(clock.now(), false);
  }

  /** Whether an event changed nothing, so that no step has to be made. */
  private isUntouched(): boolean {
    const { store } = this;
    const { workers, pendingCleanups, problems } = store;
    return (
      workers.isUntouched &&
      pendingCleanups.length === 0 &&
      problems.length === 0 &&
      workers.counts(this.counts) === this.counts
    );
  }

  private stepAfter(at: number, thresholdsChanged: boolean): FleetStep | null {
    const { store } = this;
    const transitions = publishTransitions(store, at);
    const { workers, pendingCleanups, problems } = store;
    const counts = workers.counts(this.counts);
    workers.releaseEmpty();
    if (
      transitions.length === 0 &&
      pendingCleanups.length === 0 &&
      problems.length === 0 &&
      !thresholdsChanged &&
      counts === this.counts
    ) {
      return null;
    }
    this.counts = counts;
    if (pendingCleanups.length > 0) store.pendingCleanups = [];
    if (problems.length > 0) store.problems = [];
    const busy = workers.busy.commit();
    return {
      at,
      busy,
      fleet: counts,
      thresholds: store.thresholds,
      transitions,
      cleanups: pendingCleanups.length > 0 ? mergeCleanups(pendingCleanups) : [],
      // Not the empty list of the store, which later problems are added to.
      problems: problems.length > 0 ? problems : [],
    };
  }

  private dispatch(event: FleetEvent): void {
    const { store } = this;
    const { policy } = store;
    switch (event.kind) {
      case 'load':
        return applyLoad(store, event);
      case 'schedulerLoads':
        return applySchedulerLoads(store, event.loads);
      case 'configs':
        return applyConfigs(store, event.workers);
      case 'config':
        return applyConfig(store, event.workerId, event.config);
      case 'decodeInstances':
        return applyInstances(store, 'decode', event);
      case 'instance':
        if (event.role !== 'prefill') return applyInstance(store, 'decode', event.workerId, event.present);
        return applyPrefillInstance(store, event.watch, event.workerId, event.present);
      case 'prefillAttached':
        return applyPrefillAttached(store, event);
      case 'prefillInstances':
        return applyPrefillInstances(store, event.watch, event);
      case 'prefillClosed':
        return applyPrefillClosed(store, event.watch);
      case 'thresholds':
        return applyThresholds(store, event);
      case 'marked':
        return applyOverloadMark(store, event.workerId);
      case 'markExpired':
        return applyOverloadMarkExpired(store, event.workerId);
      case 'reportedDown':
        return applyReportedDown(store, event.workerId);
      case 'loadError':
        return void store.problems.push(fleetProblems.sourceError('loads', event.text));
      case 'configError':
        return void store.problems.push(fleetProblems.sourceError('configs', event.text));
      case 'instancesError':
        return void store.problems.push(fleetProblems.sourceError('instances', event.text));
      case 'problem':
        return void store.problems.push(event.problem);
      case 'loadStreamEnded':
        store.loadsOpen = false;
        return applyEnd(store, 'loads', policy.loadsEnded);
      case 'configsEnded':
        return applyEnd(store, 'configs', policy.configsEnded);
      case 'instancesEnded':
        return applyEnd(store, 'instances', policy.instancesEnded);
      case 'stop':
        return applyStop(store);
    }
  }
}
