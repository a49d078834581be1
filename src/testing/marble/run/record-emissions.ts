import { type MonoTypeOperatorFunction, type SchedulerLike, take, tap } from 'rxjs';
import { canonicalText, valueText } from '../value-text.js';
import type { MarbleEmission } from './marble-result.js';

const MUTATORS = ['set', 'add', 'delete', 'clear'];

/**
 * Freezes plain data to its depths: objects, arrays, Maps and Sets. Changing it throws from then on, where the
 * change is made.
 *
 * Instances of other classes are left alone: what they keep for themselves, such as a list built on first use, is
 * no part of their value. Typed arrays cannot be frozen.
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
      throw new TypeError(`${name}() on a value that was emitted: whoever has it would see it change`);
    },
  });
}

/** More values than a picture can hold: a stream that emits so many has no end. */
export const MAX_EMISSIONS = 1000;

/** Writes down everything that passes, at its virtual time and as it is at that moment, and freezes the values. */
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
