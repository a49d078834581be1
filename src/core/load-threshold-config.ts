import type { Count } from './count.js';
import type { LoadPolicy } from './load-policy.js';
import type { LoadThresholds, LoadThresholdUpdate } from './load-thresholds.js';
import { thresholdProblems } from './threshold-problems.js';
import { TidemarkError } from './tidemark-error.js';

/** Marks that a policy refuses. `problems` lists every one of them. */
export class ThresholdError extends TidemarkError {
  override readonly name = 'ThresholdError';

  constructor(readonly problems: readonly string[]) {
    super('threshold-out-of-range', `${problems.join('; ')}.`);
  }
}

const CUT = 10_000;
const MAX_U32 = 0xffff_ffff;

/**
 * The marks in force under one policy. Immutable.
 *
 * 1. {@link LoadThresholdConfig.defaults} gives what holds when nobody set a mark.
 * 2. {@link LoadThresholdConfig.update} changes the marks that are given. `null` turns a check off or changes
 *    nothing, and a fraction is kept exactly or cut to 1/10000, as the policy says.
 * 3. `update` checks nothing, as a recording may hold what a release once let through: a NaN is then never
 *    exceeded, a negative mark always. {@link LoadThresholdConfig.set} is the door for people: it throws on
 *    everything the policy refuses.
 *
 * @example
 * ```ts
 * import { LoadThresholdConfig, policies } from 'tidemark';
 *
 * const marks = LoadThresholdConfig.defaults(policies['dynamo-1.0']);
 * console.log(marks.set({ activeDecodeBlocksThreshold: 0.57 }).activeDecodeBlocksThreshold);
 * // Logs: 0.5699
 * console.log(LoadThresholdConfig.defaults(policies.default).isConfigured());
 * // Logs: false
 * ```
 *
 * @see {@link thresholdProblems}
 */
export class LoadThresholdConfig implements LoadThresholds {
  readonly activeDecodeBlocksThreshold: number | null;
  readonly activePrefillTokensThreshold: Count | null;
  readonly activePrefillTokensThresholdFrac: number | null;

  private constructor(
    marks: LoadThresholds,
    private readonly policy: LoadPolicy,
  ) {
    this.activeDecodeBlocksThreshold = marks.activeDecodeBlocksThreshold;
    this.activePrefillTokensThreshold = marks.activePrefillTokensThreshold;
    this.activePrefillTokensThresholdFrac = marks.activePrefillTokensThresholdFrac;
  }

  /** The marks that hold under a policy when none was set. */
  static defaults(policy: LoadPolicy): LoadThresholdConfig {
    return new LoadThresholdConfig(policy.defaultThresholds, policy);
  }

  /** Whether any check is on. Without one, no worker is ever busy by its load. */
  isConfigured(): boolean {
    return (
      this.activeDecodeBlocksThreshold !== null ||
      this.activePrefillTokensThreshold !== null ||
      this.activePrefillTokensThresholdFrac !== null
    );
  }

  /** These marks with the given ones changed, unchecked. Returns the same object when nothing differs. */
  update(change: LoadThresholdUpdate): LoadThresholdConfig {
    const marks: LoadThresholds = {
      activeDecodeBlocksThreshold: this.next('activeDecodeBlocksThreshold', change, (f) => this.stored(f)),
      activePrefillTokensThreshold: this.next('activePrefillTokensThreshold', change, (tokens) => tokens),
      activePrefillTokensThresholdFrac: this.next('activePrefillTokensThresholdFrac', change, (f) =>
        this.stored(f),
      ),
    };
    return this.equals(marks) ? this : new LoadThresholdConfig(marks, this.policy);
  }

  /**
   * These marks with the given ones changed, checked as the policy checks.
   *
   * @throws ThresholdError with the problems the policy tells: none, the first, or all at once. Nothing is
   * changed then.
   */
  set(change: LoadThresholdUpdate): LoadThresholdConfig {
    const problems = thresholdProblems(change, this.policy);
    if (problems.length > 0) throw new ThresholdError(problems);
    return this.update(change);
  }

  /** Whether the same marks are in force; two NaN are the same. */
  equals(other: LoadThresholds): boolean {
    return (
      Object.is(this.activeDecodeBlocksThreshold, other.activeDecodeBlocksThreshold) &&
      this.activePrefillTokensThreshold === other.activePrefillTokensThreshold &&
      Object.is(this.activePrefillTokensThresholdFrac, other.activePrefillTokensThresholdFrac)
    );
  }

  private next<Mark extends keyof LoadThresholds>(
    mark: Mark,
    change: LoadThresholdUpdate,
    store: (value: NonNullable<LoadThresholds[Mark]>) => NonNullable<LoadThresholds[Mark]>,
  ): LoadThresholds[Mark] | LoadThresholdConfig[Mark] {
    const value: LoadThresholds[Mark] | undefined = change[mark];
    if (value === undefined) return this[mark];
    if (value === null) return this.policy.nullThreshold === 'off' ? value : this[mark];
    return store(value);
  }

  private stored(fraction: number): number {
    return this.policy.storedFractions === 'exact' ? fraction : cutToU32(fraction * CUT) / CUT;
  }
}

/** Rust's cast to u32, which the releases that cut fractions use: toward zero, NaN is 0, saturating. */
function cutToU32(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), 0), MAX_U32);
}
