import { countOf, isU64 } from '../../core/count.js';
import { TidemarkError } from '../../core/errors.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { nearestName, thresholdProblems } from '../../core/policy/load-threshold-config.js';
import {
  type LoadThresholdUpdate,
  type LoadThresholds,
  thresholdNames,
} from '../../core/policy/load-thresholds.js';
import { workerId } from '../../core/worker-id.js';
import {
  type EntryTarget,
  type ThresholdChange,
  type ThresholdEntry,
  targetOf,
} from '../../fleet/thresholds/threshold-entry.js';
import type { JsonValue } from '../../wire/json/json-value.js';

/** JSON that does not describe thresholds. The message says what is wrong. */
export class ThresholdJsonError extends TidemarkError {
  override readonly name = 'ThresholdJsonError';

  constructor(message: string) {
    super('thresholds', message);
  }
}

/** The members of a JSON object. */
export type JsonMembers = Readonly<Record<string, JsonValue>>;

const MAX_MODEL_LENGTH = 1024;

const jsonNames: Readonly<Record<keyof LoadThresholds, string>> = {
  activeDecodeBlocksThreshold: 'active_decode_blocks_threshold',
  activePrefillTokensThreshold: 'active_prefill_tokens_threshold',
  activePrefillTokensThresholdFrac: 'active_prefill_tokens_threshold_frac',
};
export const thresholdJsonNames: readonly string[] = Object.values(jsonNames);
export const targetJsonNames = ['model', 'role', 'worker_id'] as const;

/** A record with a value for each threshold, under their names in JSON. */
export function underJsonNames<Value>(
  values: Readonly<Partial<Record<keyof LoadThresholds, Value>>>,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(
    thresholdNames.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [[jsonNames[name], value] as const];
    }),
  );
}

/** The thresholds that are set as JSON; `null` if none are. */
export function thresholdsJson(thresholds: LoadThresholdUpdate | null): object | null {
  return thresholds === null ? null : underJsonNames<unknown>(thresholds);
}

/** A target as JSON. */
export function targetJson({ model, role, workerId: id }: EntryTarget): object {
  return { model, role, worker_id: id };
}

/** An entry as JSON. */
export function entryJson({ target, thresholds, origin }: ThresholdEntry): object {
  return { target: targetJson(target), thresholds: thresholdsJson(thresholds), origin };
}

/** A change as JSON. */
export function changeJson({ target, before, after, origin }: ThresholdChange): object {
  return {
    target: targetJson(target),
    old: thresholdsJson(before),
    new: thresholdsJson(after),
    origin,
  };
}

/** The members of a JSON object that has no others than the known ones. @throws ThresholdJsonError */
export function membersOf(value: JsonValue | undefined, what: string, known: readonly string[]): JsonMembers {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ThresholdJsonError(`${what} must be an object.`);
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const shown = JSON.stringify(name.slice(0, 100));
    throw new ThresholdJsonError(
      `${shown} is not a member of ${what}; the nearest name is ${nearestName(name, known)}.`,
    );
  }
  return value as JsonMembers;
}

/** The target among the members of an object; an absent member and `null` do not restrict it. @throws ThresholdJsonError */
export function readTarget(members: JsonMembers): EntryTarget {
  const { model = null, role = null, worker_id: id = null } = members;
  if (model !== null && (typeof model !== 'string' || model === '' || model.length > MAX_MODEL_LENGTH))
    throw new ThresholdJsonError(`model must be a text of 1 to ${MAX_MODEL_LENGTH} characters.`);
  if (role !== null && role !== 'decode' && role !== 'prefill')
    throw new ThresholdJsonError(
      `role must be decode or prefill, not ${shown(role)}; aggregated workers have the role decode.`,
    );
  const isId = typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint';
  if (id !== null && !isId)
    throw new ThresholdJsonError(`worker_id must be a decimal number or its text, not ${shown(id)}.`);
  return targetOf({
    model: model ?? undefined,
    role: role ?? undefined,
    workerId: isId ? workerId(String(id)) : undefined,
  });
}

/** The thresholds among the members of an object. @throws ThresholdJsonError if none is given, or one is not valid */
export function readThresholds(members: JsonMembers, policy: LoadPolicy): LoadThresholdUpdate {
  const given = thresholdNames.flatMap((name) => {
    const value = members[jsonNames[name]];
    if (value === undefined) return [];
    return [[name, name === 'activePrefillTokensThreshold' ? tokensOf(value) : value] as const];
  });
  if (given.length === 0)
    throw new ThresholdJsonError(`Give at least one threshold: ${thresholdJsonNames.join(', ')}.`);
  for (const [name, value] of given) {
    if (value !== null && typeof value !== 'number' && typeof value !== 'bigint')
      throw new ThresholdJsonError(`${jsonNames[name]} must be a number or null, not ${shown(value)}.`);
  }
  const change = Object.fromEntries(
    // Only tokens are counted exactly.
    given.map(([name, value]) => [
      name,
      typeof value === 'bigint' && name !== 'activePrefillTokensThreshold' ? Number(value) : value,
    ]),
  ) as LoadThresholdUpdate;
  const problems = thresholdProblems(change, policy);
  if (problems.length > 0) throw new ThresholdJsonError(`${problems.join('; ')}.`);
  return change;
}

/** Which thresholds a list names. @throws ThresholdJsonError */
export function readThresholdNames(value: JsonValue): (keyof LoadThresholds)[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ThresholdJsonError('thresholds must be a list of one or more names of thresholds.');
  return (value as readonly JsonValue[]).map((given) => {
    const name = thresholdNames.find((known) => jsonNames[known] === given);
    if (name !== undefined) return name;
    const nearest =
      typeof given === 'string' ? nearestName(given, thresholdJsonNames) : thresholdJsonNames[0];
    throw new ThresholdJsonError(
      `${shown(given)} is not the name of a threshold; the nearest name is ${nearest}.`,
    );
  });
}

/** A count above 2^53 − 1 is written as text, because most JSON parsers would round it. */
function tokensOf(value: JsonValue): JsonValue {
  if (typeof value !== 'string' || !/^[0-9]{1,20}$/.test(value)) return value;
  const tokens = BigInt(value);
  return isU64(tokens) ? countOf(tokens) : tokens;
}

function shown(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  return typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? 'a list'
      : 'an object'
    : String(value);
}
