import { type Count, MAX_U32, MAX_U64, isU64 } from '../count.js';
import { TidemarkError } from '../errors.js';
import type { LoadPolicy } from './load-policy.js';
import type { LoadThresholdUpdate, LoadThresholds } from './load-thresholds.js';

/** A float as Rust prints it: all digits without an exponent, `inf` for infinity, and `-0` for a negative zero. */
export function rustFloat(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text.replace('Infinity', 'inf');
  const [, sign = '', integer = '', fraction = '', exponent = '0'] = parts;
  const digits = integer + fraction;
  const point = 1 + Number(exponent);
  const plain = point > 0 ? digits.padEnd(point, '0') : `0.${'0'.repeat(-point)}${digits}`;
  return sign + plain;
}

/**
 * What a policy refuses in a change of thresholds: one sentence for each problem, without a full stop.
 *
 * 1. `activeDecodeBlocksThreshold` must be from 0 to 1.
 * 2. `activePrefillTokensThreshold` must be a whole number from 0 to 2^64 − 1.
 * 3. `activePrefillTokensThresholdFrac` must be finite, and 0 or above.
 * 4. The `thresholdValidation` cell decides whether nothing is validated, or whether the result has the first problem or
 *    all problems.
 *
 * The sentences about fractions are those of Dynamo 1.4 and later.
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

/** Thresholds that a policy refuses. `problems` has one sentence for each problem. */
export class ThresholdError extends TidemarkError {
  override readonly name = 'ThresholdError';

  constructor(readonly problems: readonly string[]) {
    super('threshold-out-of-range', `${problems.join('; ')}.`);
  }
}

const FRACTION_STEPS = 10_000;

/**
 * The thresholds in force under one policy. Immutable.
 *
 * 1. {@link LoadThresholdConfig.defaults} gives the thresholds in force when none was set.
 * 2. {@link LoadThresholdConfig.update} changes the given thresholds. The policy decides whether `null` turns a check off
 *    or changes nothing, and whether a fraction is kept exactly or truncated to 1/10000.
 * 3. `update` validates nothing, since a recording may contain values that a release accepted: no value is above NaN, and
 *    every value is above a negative threshold. {@link LoadThresholdConfig.set} is for values that people give: it throws
 *    on everything that the policy refuses.
 *
 * @example
 * ```ts
 * import { LoadThresholdConfig, policies } from 'tidemark';
 *
 * const thresholds = LoadThresholdConfig.defaults(policies['dynamo-1.0']);
 * console.log(thresholds.set({ activeDecodeBlocksThreshold: 0.57 }).activeDecodeBlocksThreshold);
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
    thresholds: LoadThresholds,
    private readonly policy: LoadPolicy,
  ) {
    this.activeDecodeBlocksThreshold = thresholds.activeDecodeBlocksThreshold;
    this.activePrefillTokensThreshold = thresholds.activePrefillTokensThreshold;
    this.activePrefillTokensThresholdFrac = thresholds.activePrefillTokensThresholdFrac;
  }

  /** The thresholds in force under a policy when none was set. */
  static defaults(policy: LoadPolicy): LoadThresholdConfig {
    return new LoadThresholdConfig(policy.defaultThresholds, policy);
  }

  /** Whether any check is on. Otherwise no load makes a worker busy. */
  isConfigured(): boolean {
    return (
      this.activeDecodeBlocksThreshold !== null ||
      this.activePrefillTokensThreshold !== null ||
      this.activePrefillTokensThresholdFrac !== null
    );
  }

  /** These thresholds with the given ones changed, without validation. Returns the same object when nothing differs. */
  update(change: LoadThresholdUpdate): LoadThresholdConfig {
    const thresholds: LoadThresholds = {
      activeDecodeBlocksThreshold: this.next('activeDecodeBlocksThreshold', change, (f) => this.stored(f)),
      activePrefillTokensThreshold: this.next('activePrefillTokensThreshold', change, (tokens) => tokens),
      activePrefillTokensThresholdFrac: this.next('activePrefillTokensThresholdFrac', change, (f) =>
        this.stored(f),
      ),
    };
    return this.equals(thresholds) ? this : new LoadThresholdConfig(thresholds, this.policy);
  }

  /**
   * These thresholds with the given ones changed, after the policy has validated them.
   *
   * @throws ThresholdError with the problems that the policy reports: the first one, or all of them
   */
  set(change: LoadThresholdUpdate): LoadThresholdConfig {
    const problems = thresholdProblems(change, this.policy);
    if (problems.length > 0) throw new ThresholdError(problems);
    return this.update(change);
  }

  /** Whether the thresholds are the same; NaN equals NaN. */
  equals(other: LoadThresholds): boolean {
    return (
      Object.is(this.activeDecodeBlocksThreshold, other.activeDecodeBlocksThreshold) &&
      this.activePrefillTokensThreshold === other.activePrefillTokensThreshold &&
      Object.is(this.activePrefillTokensThresholdFrac, other.activePrefillTokensThresholdFrac)
    );
  }

  private next<Name extends keyof LoadThresholds>(
    name: Name,
    change: LoadThresholdUpdate,
    store: (value: NonNullable<LoadThresholds[Name]>) => NonNullable<LoadThresholds[Name]>,
  ): LoadThresholds[Name] | LoadThresholdConfig[Name] {
    const value: LoadThresholds[Name] | undefined = change[name];
    if (value === undefined) return this[name];
    if (value === null) return this.policy.nullThreshold === 'off' ? value : this[name];
    return store(value);
  }

  private stored(fraction: number): number {
    return this.policy.storedFractions === 'exact'
      ? fraction
      : truncateToU32(fraction * FRACTION_STEPS) / FRACTION_STEPS;
  }
}

/** Rust's cast to u32, which the releases that truncate fractions use: toward zero, NaN is 0, saturating. */
function truncateToU32(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), 0), MAX_U32);
}
