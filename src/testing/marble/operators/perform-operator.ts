import {
  map,
  mergeMap,
  of,
  Subject,
  tap,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { performCleanup, type CleanupSink } from '../../../core/pipeline/perform-cleanup.js';
import type { Cleanup } from '../../../core/state/cleanup.js';
import { catchDecodeFailure } from '../../../wire/decode-error.js';
import { toJsonNode, type JsonValue } from '../../../wire/json/json-value.js';
import { readExpectation } from '../../../wire/recording/parse-recording.js';
import type { MarbleOperator } from '../run/marble-operator.js';

/**
 * `performCleanup({ takes: 20, failsFor: ['7'] })`: cleanups and a made-up sink, which takes so many milliseconds for
 * each, none when absent, and then fails for the workers that are named.
 *
 * 1. Letters are cleanups in JSON, unless `cleanups` stands above.
 * 2. `first` and `second` are two subscribers to the outcomes, each on its own: `{workerId, ok}`.
 * 3. `sink` tells what the sink does for either: `"7 begins"`, then `"7 is done"`, `"7 fails"`, or `"7 is ended"` when
 *    it is left before that.
 */
export const performOperator: MarbleOperator = {
  read: cleanupOf,
  build: (args, { merged$, scheduler }) => {
    const told$ = new Subject<string>();
    const outcomes$ = (merged$ as Observable<Cleanup>).pipe(
      performCleanup(sinkOf(args, scheduler, told$)),
      map(({ cleanup: { workerId }, ok }) => ({ workerId, ok })),
    );
    return { first: outcomes$, second: outcomes$, sink: told$ };
  },
};

function sinkOf(
  args: readonly JsonValue[],
  scheduler: SchedulerLike,
  sinkLog$: Subject<string>,
): CleanupSink {
  const { takes, failsFor } = settingsOf(args);
  return ({ workerId }) => {
    sinkLog$.next(`${workerId} begins`);
    const waited$ = takes === 0 ? of(0) : timer(takes, scheduler);
    return waited$.pipe(
      mergeMap((value) =>
        failsFor.includes(workerId) ? throwError(() => new Error('the sink failed')) : of(value),
      ),
      tap({
        error: () => sinkLog$.next(`${workerId} fails`),
        complete: () => sinkLog$.next(`${workerId} is done`),
        unsubscribe: () => sinkLog$.next(`${workerId} is ended`),
      }),
    );
  };
}

function settingsOf(args: readonly JsonValue[]): {
  readonly takes: number;
  readonly failsFor: readonly JsonValue[];
} {
  const [given = {}, second] = args;
  if (second !== undefined || typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Error('it takes one object, such as { takes: 20, failsFor: ["7"] }');
  const { takes = 0, failsFor = [], ...rest } = given as Readonly<Record<string, JsonValue>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Error(`there is no field ${unknown}; choose of takes, failsFor`);
  if (typeof takes !== 'number' || takes < 0) throw new Error('takes must be a number of milliseconds');
  if (!isList(failsFor) || failsFor.some((id) => typeof id !== 'string'))
    throw new Error('failsFor must be a list of worker ids, each in quotes');
  return { takes, failsFor };
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The cleanup that a letter stands for, in the JSON form in which a recording expects it. */
function cleanupOf(value: JsonValue): Cleanup {
  const read = catchDecodeFailure(() => readExpectation(toJsonNode({ cleanup: [value] })).cleanup?.[0]);
  if (read === undefined || 'error' in read)
    throw new Error(`this is no cleanup: ${read?.error.message ?? 'it is absent'}`);
  return read;
}
