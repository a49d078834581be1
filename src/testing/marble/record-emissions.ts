import { take, tap, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { deepFreeze } from './deep-freeze.js';
import type { MarbleEmission } from './marble-result.js';
import { canonicalText, valueText } from './value-text.js';

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
