import { Observable, type OperatorFunction } from 'rxjs';
import { errorText } from '../../operators/error-text.js';
import { untilClosed } from '../../operators/until-closed.js';
import type { MonitorSources } from './monitor-sources.js';

/**
 * Turns each value of a source into an event, and its end into events: `failed` for an error, also one that `toEvent`
 * throws, then `ended` (if there is one) for either end. As one operator it costs a load less than `map`, `catchError` and
 * `endWith`.
 *
 * @param name the source, for the sentence about its error
 */
export function asEvents<T, Event>(
  name: keyof MonitorSources,
  toEvent: (value: T) => Event,
  failed: (text: string) => Event,
  ended?: Event,
): OperatorFunction<T, Event> {
  return (source$) =>
    new Observable((subscriber) => {
      const end = (): void => {
        if (ended !== undefined) subscriber.next(ended);
        subscriber.complete();
      };
      const fail = (error: unknown): void => {
        subscriber.next(failed(`the source of ${name} failed: ${errorText(error)}`));
        end();
      };
      return source$.pipe(untilClosed(subscriber)).subscribe({
        next: (value) => {
          let event: Event;
          try {
            event = toEvent(value);
          } catch (error) {
            return fail(error);
          }
          subscriber.next(event);
        },
        error: fail,
        complete: end,
      });
    });
}
