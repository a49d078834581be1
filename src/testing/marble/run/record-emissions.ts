import { type MonoTypeOperatorFunction, type SchedulerLike, take, tap } from 'rxjs';
import { TidemarkError } from '../../../core/errors.js';
import { canonicalText, valueText } from '../value-text.js';
import type { MarbleEmission } from './marble-result.js';

const MUTATORS = ['set', 'add', 'delete', 'clear'];

/**
 * Freezes plain data deeply: objects, arrays, Maps and Sets. After that, a change throws where it is made.
 *
 * Instances of other classes are not frozen, since their private data, such as a list that is built on first use, is not
 * part of their value. Typed arrays cannot be frozen.
 */
export function deepFreeze<T>(value: T): T {
  freeze(value, new Set());
  return value;
}

function freeze(value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value) || !isData(value)) return;
  seen.add(value);
  if (!Object.isFrozen(value)) {
    if (value instanceof Map || value instanceof Set)
      for (const name of MUTATORS) refuseMutation(value, name);
    Object.freeze(value);
  }
  for (const inner of innerOf(value)) freeze(inner, seen);
}

function innerOf(value: object): Iterable<unknown> {
  if (value instanceof Map) return [...value.keys(), ...value.values()] as unknown[];
  return value instanceof Set ? (value as Set<unknown>) : Object.values(value);
}

function isData(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    [Object, Array, Map, Set].some((kind: { prototype: object }) => prototype === kind.prototype)
  );
}

function refuseMutation(value: object, name: string): void {
  if (!(name in value)) return;
  Object.defineProperty(value, name, {
    value: () => {
      throw new TidemarkError(
        'frozen-value',
        `${name}() changes a value that was already emitted: copy it first.`,
      );
    },
  });
}

/** More values than a diagram can show. A stream that emits so many is taken to be endless. */
export const MAX_EMISSIONS = 1000;

/** Records every emission with its virtual time and its value at that moment, and freezes the values. */
export function recordEmissions(
  into: MarbleEmission[],
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<unknown> {
  const record = (kind: MarbleEmission['kind'], value: unknown): void => {
    const texts = { text: valueText(value), canonical: canonicalText(value) };
    into.push({ at: scheduler.now(), kind, value, ...texts });
  };
  return (source$) =>
    source$.pipe(
      take(MAX_EMISSIONS),
      tap({
        next: (value) => record('next', deepFreeze(value)),
        error: (error: unknown) => record('error', error),
        complete: () =>
          into.push({ at: scheduler.now(), kind: 'complete', value: undefined, text: '', canonical: '' }),
      }),
    );
}
