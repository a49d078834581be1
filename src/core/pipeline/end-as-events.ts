import { type MonoTypeOperatorFunction, catchError, endWith, of } from 'rxjs';
import { errorText } from '../../operators/error-text.js';
import type { MonitorSources } from './monitor-sources.js';

/**
 * Turns the end of a source into events: `failed` for an error, then `ended` (if there is one) for either end.
 *
 * @param name the source, for the sentence about its error
 */
export function endAsEvents<Event>(
  name: keyof MonitorSources,
  failed: (text: string) => Event,
  ended?: Event,
): MonoTypeOperatorFunction<Event> {
  return (events$) =>
    events$.pipe(
      catchError((error: unknown) => of(failed(`the source of ${name} failed: ${errorText(error)}`))),
      ended === undefined ? (same$) => same$ : endWith(ended),
    );
}
