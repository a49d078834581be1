import { map, mergeMap, of, Subject, tap, throwError, timer, type SchedulerLike } from 'rxjs';
import { TidemarkError } from '../../../core/errors.js';
import { performCleanup, type CleanupSink } from '../../../core/pipeline/perform-cleanup.js';
import type { Cleanup } from '../../../core/state/cleanup.js';
import { catchDecodeFailure } from '../../../wire/decode-error.js';
import { toJsonNode, type JsonValue } from '../../../wire/json/json-value.js';
import { readExpectation } from '../../../wire/recording/parse-recording.js';
import type { MarbleOperator } from '../run/marble-operator.js';
import { requireValues } from './require-values.js';

/**
 * `performCleanup({ takes: 20, failsFor: ['7'] })`: cleanups with a fake sink. The sink takes `takes` milliseconds for each
 * cleanup (0 when absent), and then fails for the workers in `failsFor`.
 *
 * 1. Letters are cleanups in JSON, unless `cleanups` is the operator above.
 * 2. `first` and `second` are two independent subscribers to the outcomes: `{workerId, ok}`.
 * 3. `sink` is the log of the sink for both: `"7 begins"`, then `"7 is done"`, `"7 fails"`, or `"7 is ended"` when it is
 *    unsubscribed before that.
 */
export const performOperator: MarbleOperator = {
  read: cleanupOf,
  build: (args, { merged$, scheduler }) => {
    const sinkLog$ = new Subject<string>();
    const outcomes$ = merged$.pipe(
      requireValues<Cleanup>('performCleanup', 'cleanups', ['dpRanks', 'object']),
      performCleanup(sinkOf(args, scheduler, sinkLog$)),
      map((outcome) => ({ workerId: outcome.cleanup.workerId, ok: !('error' in outcome) })),
    );
    return { first: outcomes$, second: outcomes$, sink: sinkLog$ };
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
        failsFor.includes(workerId)
          ? throwError(() => new TidemarkError('sink-failed', 'the sink failed'))
          : of(value),
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
    throw new TidemarkError('marble-call', 'it takes one object, such as { takes: 20, failsFor: ["7"] }');
  const { takes = 0, failsFor = [], ...rest } = given as Readonly<Record<string, JsonValue>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new TidemarkError('marble-call', `unknown option ${unknown}; the options are takes, failsFor`);
  if (typeof takes !== 'number' || takes < 0)
    throw new TidemarkError('marble-call', 'takes must be a number of milliseconds');
  if (!isList(failsFor) || failsFor.some((id) => typeof id !== 'string'))
    throw new TidemarkError('marble-call', 'failsFor must be a list of worker ids, each in quotes');
  return { takes, failsFor };
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The cleanup of a letter, in the JSON form of a recording. */
function cleanupOf(value: JsonValue): Cleanup {
  const read = catchDecodeFailure(() => readExpectation(toJsonNode({ cleanup: [value] })).cleanup?.[0]);
  if (read === undefined || 'error' in read)
    throw new TidemarkError('marble-call', `this is not a cleanup: ${read?.error.message ?? 'it is absent'}`);
  return read;
}
