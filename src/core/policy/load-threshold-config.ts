import { type Count, MAX_U32, MAX_U64, isU64 } from '../count.js';
import { TidemarkError } from '../errors.js';
import { contentsAsJson } from '../ordinary-value.js';
import type { LoadPolicy } from './load-policy.js';
import { type LoadThresholdUpdate, type LoadThresholds, thresholdNames } from './load-thresholds.js';

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

/** How many single-character edits separate two names, ignoring case and everything but letters. */
function editDistance(from: string, to: string): number {
  const [a, b] = [from, to].map((name) => name.toLowerCase().replace(/[^a-z]/g, '')) as [string, string];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The known name that differs least from a given one. */
export function nearestName(given: string, names: readonly string[]): string {
  const name = given.slice(0, 100);
  const [nearest = ''] = names.toSorted((a, b) => editDistance(name, a) - editDistance(name, b));
  return nearest;
}

/** A value in a message: text in quotes, anything else than text and numbers as its type. */
function givenText(value: unknown): string {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 100))}`;
  if (typeof value === 'object' && value !== null) return Symbol.iterator in value ? 'a list' : 'an object';
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}

const isThresholdName = (name: string): name is keyof LoadThresholds =>
  (thresholdNames as readonly string[]).includes(name);

/**
 * What is wrong with the form of a change of thresholds, which no release could express: it is not an object, a name
 * is unknown, or a value is not a number. One sentence for each problem, without a full stop.
 */
export function thresholdFormProblems(change: unknown): string[] {
  if (typeof change !== 'object' || change === null || Symbol.iterator in change)
    return [
      `a change of thresholds must be an object with ${thresholdNames.join(', ')}, not ${givenText(change)}`,
    ];
  return Object.entries(change).flatMap(([name, value]: [string, unknown]) => {
    if (!isThresholdName(name)) {
      const nearest = nearestName(name, thresholdNames);
      return [
        `${JSON.stringify(name.slice(0, 100))} is not the name of a threshold; the nearest name is ${nearest}`,
      ];
    }
    if (value == null || typeof value === 'number') return [];
    if (typeof value === 'bigint' && name === 'activePrefillTokensThreshold') return [];
    return [`${name} must be a number or null, not ${givenText(value)}`];
  });
}

/**
 * What is refused in a change of thresholds: one sentence for each problem, without a full stop.
 *
 * 1. A change that is not an object, an unknown name, and a value that is not a number, such as the text `'0.5'`, are
 *    refused under every policy. The sentence about an unknown name has the nearest known name.
 * 2. `activeDecodeBlocksThreshold` must be from 0 to 1.
 * 3. `activePrefillTokensThreshold` must be a whole number from 0 to 2^64 − 1.
 * 4. `activePrefillTokensThresholdFrac` must be finite, and 0 or above.
 * 5. The `thresholdValidation` cell decides whether the ranges in 2 to 4 are validated, and whether the result has the first
 *    problem or all problems.
 *
 * The sentences about fractions are those of Dynamo 1.4 and later.
 *
 * @example
 * ```ts
 * import { policies, thresholdProblems } from 'tidemark';
 *
 * console.log(...thresholdProblems({ activeDecodeBlocksThreshold: 1.5 }, policies.default));
 * // Logs: active_decode_blocks_threshold must be between 0.0 and 1.0, got 1.5
 * ```
 */
export function thresholdProblems(change: LoadThresholdUpdate, policy: LoadPolicy): string[] {
  const problems = thresholdFormProblems(change);
  if (problems.length === 0 && policy.thresholdValidation !== 'none') problems.push(...rangeProblems(change));
  return policy.thresholdValidation === 'first-problem' ? problems.slice(0, 1) : problems;
}

function rangeProblems(change: LoadThresholdUpdate): string[] {
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
  return problems;
}

/** Thresholds that a policy refuses. `problems` has one sentence for each problem. */
export class ThresholdError extends TidemarkError {
  override readonly name = 'ThresholdError';

  constructor(readonly problems: readonly string[]) {
    super('threshold-out-of-range', `${problems.join('; ')}.`);
  }
}

/**
 * Validates thresholds that are given in code, such as those of an option.
 *
 * @throws ThresholdError with the {@link thresholdProblems}
 */
export function checkThresholds(change: LoadThresholdUpdate, policy: LoadPolicy): void {
  const problems = thresholdProblems(change, policy);
  if (problems.length > 0) throw new ThresholdError(problems);
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
 * 4. Two configs are deep-equal when their three thresholds are equal. The policy takes no part, and is neither printed nor
 *    serialised.
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
  readonly #policy: LoadPolicy;

  private constructor(thresholds: LoadThresholds, policy: LoadPolicy) {
    this.#policy = policy;
    this.activeDecodeBlocksThreshold = thresholds.activeDecodeBlocksThreshold;
    this.activePrefillTokensThreshold = thresholds.activePrefillTokensThreshold;
    this.activePrefillTokensThresholdFrac = thresholds.activePrefillTokensThresholdFrac;
  }

  /**
   * The thresholds in force under a policy when none was set.
   *
   * @throws ThresholdError if the policy refuses its own default thresholds
   */
  static defaults(policy: LoadPolicy): LoadThresholdConfig {
    checkThresholds(policy.defaultThresholds, policy);
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

  /**
   * These thresholds with the given ones changed, without validation. Returns the same object when nothing differs.
   *
   * @param nullTurnsOff `true`: `null` turns a check off under every policy
   */
  update(change: LoadThresholdUpdate, nullTurnsOff = false): LoadThresholdConfig {
    const isOff = nullTurnsOff || this.#policy.nullThreshold === 'off';
    const next = <Name extends keyof LoadThresholds>(
      name: Name,
      store: (value: NonNullable<LoadThresholds[Name]>) => NonNullable<LoadThresholds[Name]>,
    ): LoadThresholds[Name] | LoadThresholdConfig[Name] => {
      const value: LoadThresholds[Name] | undefined = change[name];
      if (value === undefined) return this[name];
      if (value === null) return isOff ? value : this[name];
      return store(value);
    };
    const thresholds: LoadThresholds = {
      activeDecodeBlocksThreshold: next('activeDecodeBlocksThreshold', (f) => this.stored(f)),
      activePrefillTokensThreshold: next('activePrefillTokensThreshold', (tokens) => tokens),
      activePrefillTokensThresholdFrac: next('activePrefillTokensThresholdFrac', (f) => this.stored(f)),
    };
    return this.equals(thresholds) ? this : new LoadThresholdConfig(thresholds, this.#policy);
  }

  /**
   * These thresholds with the given ones changed, after the policy has validated them.
   *
   * @throws ThresholdError with the problems that the policy reports: the first one, or all of them
   */
  set(change: LoadThresholdUpdate): LoadThresholdConfig {
    checkThresholds(change, this.#policy);
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

  /**
   * The three thresholds, for `JSON.stringify`: a number above 2^53 − 1 as text, and NaN and the infinities, which only
   * recordings can set, as `"NaN"`, `"Infinity"` and `"-Infinity"`.
   */
  toJSON(): object {
    return contentsAsJson(this);
  }

  private stored(fraction: number): number {
    return this.#policy.storedFractions === 'exact'
      ? fraction
      : truncateToU32(fraction * FRACTION_STEPS) / FRACTION_STEPS;
  }
}

/** Rust's cast to u32, which the releases that truncate fractions use: toward zero, NaN is 0, saturating. */
function truncateToU32(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), 0), MAX_U32);
}
