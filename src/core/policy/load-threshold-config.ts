import { type Count, MAX_U32, MAX_U64, isU64 } from '../count.js';
import { TidemarkError } from '../errors.js';
import type { LoadPolicy } from './load-policy.js';
import type { LoadThresholdUpdate, LoadThresholds } from './load-thresholds.js';

/** A float as Rust prints it in a sentence: all its digits and no exponent, `inf`, and the sign of a negative zero. */
export function rustFloat(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text.replace('Infinity', 'inf');
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = whole + fraction;
  const point = 1 + Number(exponent);
  const plain = point > 0 ? digits.padEnd(point, '0') : `0.${'0'.repeat(-point)}${digits}`;
  return sign + plain;
}

/**
 * What a policy refuses in a change of marks: a sentence each, without full stop. Empty when it accepts all.
 *
 * 1. `activeDecodeBlocksThreshold`: between 0 and 1.
 * 2. `activePrefillTokensThreshold`: a whole number of 0 to 2^64 − 1.
 * 3. `activePrefillTokensThresholdFrac`: finite, 0 and above.
 * 4. By the `thresholdValidation` cell nothing is checked, the first problem is told, or all at once.
 *
 * The sentences on fractions are Dynamo's own (1.4 and later).
 */
export function thresholdProblems(change: LoadThresholdUpdate, policy: LoadPolicy): string[] {
  if (policy.thresholdValidation === 'none') return [];
  const problems: string[] = [];
  const decode = change.activeDecodeBlocksThreshold;
  const tokens = change.activePrefillTokensThreshold;
  const frac = change.activePrefillTokensThresholdFrac;
  if (decode != null && !(decode >= 0 && decode <= 1)) {
    problems.push(`active_decode_blocks_threshold must be between 0.0 and 1.0, got ${rustFloat(decode)}`);
  }
  if (tokens != null && !isU64(tokens)) {
    problems.push(
      `active_prefill_tokens_threshold must be a whole number from 0 to ${MAX_U64}, got ${tokens}`,
    );
  }
  if (frac != null && !(Number.isFinite(frac) && frac >= 0)) {
    problems.push(
      `active_prefill_tokens_threshold_frac must be a finite value greater than or equal to 0.0, got ${rustFloat(frac)}`,
    );
  }
  return policy.thresholdValidation === 'first-problem' ? problems.slice(0, 1) : problems;
}

/** Marks that a policy refuses. `problems` lists every one of them. */
export class ThresholdError extends TidemarkError {
  override readonly name = 'ThresholdError';

  constructor(readonly problems: readonly string[]) {
    super('threshold-out-of-range', `${problems.join('; ')}.`);
  }
}

const CUT = 10_000;

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
