import { type Observable, Subject } from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import type { Role } from '../../core/events/fleet-event.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { LoadThresholdConfig, checkThresholds } from '../../core/policy/load-threshold-config.js';
import {
  type LoadThresholdUpdate,
  type LoadThresholds,
  thresholdNames,
} from '../../core/policy/load-thresholds.js';
import type { WorkerId } from '../../core/worker-id.js';
import {
  type EntryTarget,
  type ThresholdChange,
  type ThresholdEntry,
  type ThresholdOrigin,
  givenThresholds,
  sameThresholds,
  targetKey,
  targetOf,
} from './threshold-entry.js';

/** The thresholds of everything for which none were set, and the policy that validates changes. */
export interface ThresholdBase {
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholds;
  /** Where each one comes from, as in `flag --active-decode-blocks-threshold`; `start` when absent. */
  readonly sources?: Readonly<Partial<Record<keyof LoadThresholds, string>>>;
}

/** A threshold in force, and where it comes from. */
export interface ResolvedThreshold<Value> {
  readonly value: Value;
  /** `entry`, or the source in the base of the book. */
  readonly source: string;
  /** The target of the entry. */
  readonly target?: EntryTarget;
}

/** The three thresholds in force for a pool or a worker. */
export type ResolvedThresholds = {
  readonly [Name in keyof LoadThresholds]: ResolvedThreshold<LoadThresholds[Name]>;
};

/** What thresholds are resolved for: a model and a role, such as the name of a pool. */
export interface ResolvedFor {
  readonly model: string;
  /** `decode` when absent. */
  readonly role?: Role;
}

/** More entries than a book keeps. */
export class ThresholdBookError extends TidemarkError {
  override readonly name = 'ThresholdBookError';

  constructor() {
    super(
      'too-many-thresholds',
      `Thresholds are already set for ${MAX_ENTRIES} targets, which is the maximum: delete some of them first.`,
    );
  }
}

/** How many targets may have thresholds. */
export const MAX_ENTRIES = 10_000;
/** How many changes are kept. */
const MAX_CHANGES = 100;

/**
 * The thresholds that were set at run time, each with its target.
 *
 * 1. The most specific target that applies wins: a worker, then a model with a role, a role, a model, and everything. After
 *    the entries comes the base. Each threshold is resolved by itself, and `null` turns its check off.
 * 2. A target may name a model or a worker that does not exist yet, or no longer.
 * 3. At most 10 000 targets have thresholds. The latest 100 changes are kept.
 *
 * @example
 * ```ts
 * import { LoadThresholdConfig, policies } from 'tidemark';
 * import { ThresholdBook } from 'tidemark/dynamo';
 *
 * const policy = policies.default;
 * const book = new ThresholdBook({ policy, thresholds: LoadThresholdConfig.defaults(policy) });
 * const origin = { at: '2026-12-01T00:00:00.000Z', address: null, token: null, route: 'night shift' };
 * book.set({ model: 'llama' }, { activeDecodeBlocksThreshold: 0.9 }, origin);
 * book.set({ role: 'prefill' }, { activeDecodeBlocksThreshold: null }, origin);
 * console.log(book.resolve({ model: 'llama' }).activeDecodeBlocksThreshold.value);
 * console.log(book.resolve({ model: 'llama', role: 'prefill' }).activeDecodeBlocksThreshold.value);
 * // Logs: 0.9
 * // Logs: null
 * ```
 *
 * @see {@link FleetPools}, which applies it
 */
export class ThresholdBook {
  /** Every change of an entry, after it was made. */
  readonly changes$: Observable<ThresholdChange>;
  private readonly changed$ = new Subject<ThresholdChange>();
  private byTarget = new Map<string, ThresholdEntry>();
  private latest: readonly ThresholdChange[] = [];

  constructor(private readonly base: ThresholdBase) {
    this.changes$ = this.changed$.asObservable();
  }

  /** The policy that validates changes. */
  get policy(): LoadPolicy {
    return this.base.policy;
  }

  /** The entries, in the order in which their targets first got thresholds. */
  entries(): readonly ThresholdEntry[] {
    return [...this.byTarget.values()];
  }

  /** The thresholds that were set for exactly this target; `null` if none were. */
  thresholdsOf(target: EntryTarget): LoadThresholdUpdate | null {
    return this.byTarget.get(targetKey(target))?.thresholds ?? null;
  }

  /** The latest changes, oldest first. */
  changes(): readonly ThresholdChange[] {
    return this.latest;
  }

  /**
   * Changes the given thresholds of a target. Returns the change; `null` if nothing differs.
   *
   * @throws ThresholdError for thresholds that the policy refuses, ThresholdBookError for too many targets
   */
  set(target: EntryTarget, change: LoadThresholdUpdate, origin: ThresholdOrigin): ThresholdChange | null {
    checkThresholds(change, this.base.policy);
    return this.put(target, { ...this.thresholdsOf(target), ...givenThresholds(change) }, origin);
  }

  /**
   * Replaces the thresholds of a target. Returns the change; `null` if nothing differs.
   *
   * @throws ThresholdError for thresholds that the policy refuses, ThresholdBookError for too many targets
   */
  replace(
    target: EntryTarget,
    thresholds: LoadThresholdUpdate,
    origin: ThresholdOrigin,
  ): ThresholdChange | null {
    checkThresholds(thresholds, this.base.policy);
    return this.put(target, thresholds, origin);
  }

  /** Removes thresholds of a target, all of them when no names are given. Returns the change; `null` if none was set. */
  unset(
    target: EntryTarget,
    origin: ThresholdOrigin,
    names: readonly (keyof LoadThresholds)[] = thresholdNames,
  ): ThresholdChange | null {
    const removed = Object.fromEntries(names.map((name) => [name, undefined]));
    return this.put(target, { ...this.thresholdsOf(target), ...removed }, origin);
  }

  /** Replaces all entries and kept changes by those of another book. `changes$` emits what differs. */
  load(entries: readonly ThresholdEntry[], changes: readonly ThresholdChange[]): void {
    const before = this.byTarget;
    this.byTarget = new Map(
      entries.slice(0, MAX_ENTRIES).map((entry) => [targetKey(entry.target), entry] as const),
    );
    this.latest = changes.slice(-MAX_CHANGES);
    for (const [key, { target, thresholds, origin }] of this.byTarget) {
      const known = before.get(key)?.thresholds ?? null;
      if (!sameThresholds(known, thresholds))
        this.changed$.next({ target, before: known, after: thresholds, origin });
    }
    for (const [key, { target, thresholds, origin }] of before) {
      if (this.byTarget.has(key)) continue;
      const removal = this.latest.findLast((change) => targetKey(change.target) === key);
      this.changed$.next({ target, before: thresholds, after: null, origin: removal?.origin ?? origin });
    }
  }

  /** The thresholds in force for the workers of a model and role, or for one of them. */
  resolve({ model, role = 'decode' }: ResolvedFor, workerId?: WorkerId): ResolvedThresholds {
    const entries: ThresholdEntry[] = [];
    for (const id of workerId === undefined ? [undefined] : [workerId, undefined]) {
      for (const target of [{ model, role }, { role }, { model }, {}]) {
        const entry = this.byTarget.get(targetKey(targetOf({ ...target, workerId: id })));
        if (entry !== undefined) entries.push(entry);
      }
    }
    const { thresholds, sources } = this.base;
    const resolved = <Name extends keyof LoadThresholds>(
      name: Name,
    ): ResolvedThreshold<LoadThresholds[Name]> => {
      for (const { target, thresholds: own } of entries) {
        const value: LoadThresholds[Name] | undefined = own[name];
        if (value !== undefined) return { value, source: 'entry', target };
      }
      return { value: thresholds[name], source: sources?.[name] ?? 'start' };
    };
    return {
      activeDecodeBlocksThreshold: resolved('activeDecodeBlocksThreshold'),
      activePrefillTokensThreshold: resolved('activePrefillTokensThreshold'),
      activePrefillTokensThresholdFrac: resolved('activePrefillTokensThresholdFrac'),
    };
  }

  /** The values that {@link resolve} returns. */
  valuesFor(name: ResolvedFor, workerId?: WorkerId): LoadThresholds {
    const resolved = this.resolve(name, workerId);
    return {
      activeDecodeBlocksThreshold: resolved.activeDecodeBlocksThreshold.value,
      activePrefillTokensThreshold: resolved.activePrefillTokensThreshold.value,
      activePrefillTokensThresholdFrac: resolved.activePrefillTokensThresholdFrac.value,
    };
  }

  /** The thresholds that a monitor of the policy has in force for these values: a policy may truncate fractions. */
  inForceFor(name: ResolvedFor, workerId?: WorkerId): LoadThresholdConfig {
    return LoadThresholdConfig.defaults(this.base.policy).update(this.valuesFor(name, workerId), true);
  }

  /** The thresholds that are set for one worker in a pool of this name; `null` if none are. */
  ownThresholdsOf(name: ResolvedFor, workerId: WorkerId): LoadThresholdUpdate | null {
    const resolved = this.resolve(name, workerId);
    const own = thresholdNames.filter((threshold) => resolved[threshold].target?.workerId !== undefined);
    return own.length === 0
      ? null
      : Object.fromEntries(own.map((threshold) => [threshold, resolved[threshold].value]));
  }

  /** Whether an entry names a model. */
  hasModel(model: string): boolean {
    return this.entries().some(({ target }) => target.model === model);
  }

  /** The workers that have thresholds of their own in a pool of this name. */
  workersIn({ model, role = 'decode' }: ResolvedFor): readonly WorkerId[] {
    const ids = this.entries().flatMap(({ target }) =>
      target.workerId !== undefined && (target.model ?? model) === model && (target.role ?? role) === role
        ? [target.workerId]
        : [],
    );
    return [...new Set(ids)];
  }

  private put(
    target: EntryTarget,
    thresholds: LoadThresholdUpdate,
    origin: ThresholdOrigin,
  ): ThresholdChange | null {
    const key = targetKey(target);
    const before = this.thresholdsOf(target);
    const after = givenThresholds(thresholds);
    if (sameThresholds(before, after)) return null;
    if (after === null) this.byTarget.delete(key);
    else {
      if (before === null && this.byTarget.size >= MAX_ENTRIES) throw new ThresholdBookError();
      this.byTarget.set(key, { target: targetOf(target), thresholds: after, origin });
    }
    const change = { target: targetOf(target), before, after, origin };
    this.latest = [...this.latest, change].slice(-MAX_CHANGES);
    this.changed$.next(change);
    return change;
  }
}
