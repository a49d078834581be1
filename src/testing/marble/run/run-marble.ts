import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { type Marble, MarbleError, type MarbleStream } from '../grammar/marble.js';
import { compareOutput, compareSubscriptions } from './compare-output.js';
import { type MarbleOperators, buildOutputs, inputValues } from './marble-operator.js';
import type { MarbleEmission, MarbleResult, SubscriptionTimes } from './marble-result.js';
import { onlyVirtualTime } from './only-virtual-time.js';
import { MAX_EMISSIONS, recordEmissions } from './record-emissions.js';

type Source = ReturnType<typeof emptySource>;
type Recorded = ReadonlyMap<string, MarbleEmission[]>;

/**
 * Runs a marble file in virtual time and compares everything that it expects.
 *
 * 1. Every run has a scheduler of its own. Inputs are hot unless the file says otherwise; in one column the input
 *    that stands first in the file speaks first.
 * 2. Every expected row is compared: values, order, times, the error and the end. An output that the file does not
 *    name is not watched.
 * 3. The run goes on until nothing is left to do, so what comes after the last column counts too. An output that
 *    never rests needs a row of subscriptions `^---!`.
 * 4. What goes in and what comes out is frozen, and a value that changes after it was emitted is a failure.
 * 5. Real time is a failure, however it is reached: timers, clocks, promises.
 *
 * @throws MarbleError when the file names an operator, arguments or an output that do not exist
 *
 * @example
 * ```ts
 * import { map } from 'rxjs';
 * import { failureText, parseMarble, runMarble } from 'tidemark/testing';
 *
 * const marble = parseMarble('-a-|\na := 2\n> double\n-b-|\nb := 5', 'double.txt');
 * const result = runMarble(marble, { double: () => map((n: number) => n * 2) });
 * console.log(result.passed, result.outputs[0]?.reasons);
 * // Logs: false [ 'value differs in column 1: b was expected, A came' ]
 * ```
 *
 * @see {@link assertMarble}, {@link failureText}, {@link updateMarble}
 */
export function runMarble(marble: Marble, operators: MarbleOperators): MarbleResult {
  const emissions = new Map(marble.outputs.map(({ title }) => [title, [] as MarbleEmission[]]));
  const values = marble.inputs.map((stream) => inputValues(marble, stream, operators));
  const escaped = new Set<string>();
  const scheduler = new TestScheduler(() => true);
  const reasons: string[] = [];
  let sources: readonly Source[] = [];
  try {
    onlyVirtualTime(
      () =>
        scheduler.run((helpers) => {
          sources = marble.inputs.map((stream, index) =>
            sourceOf(stream, values[index], marble.tickMs, helpers),
          );
          watch(marble, operators, sources, emissions, scheduler, helpers);
          scheduler.maxFrames = lastMoment(marble);
        }),
      (name) => escaped.add(name),
    );
  } catch (error) {
    if (error instanceof MarbleError) throw error;
    reasons.push(`something threw outside of the streams: ${String(error)}`);
  }
  for (const name of escaped)
    reasons.push(`${name} was used, which is not virtual time; use a scheduler of RxJS`);
  if (scheduler.actions.length > 0 || [...emissions.values()].some(({ length }) => length > MAX_EMISSIONS))
    reasons.push('the run does not come to rest; below an output, a row ^---! says how long it is watched');
  return resultOf(marble, emissions, sources, reasons);
}

function sourceOf(
  stream: MarbleStream,
  values: ReadonlyMap<string, unknown> | undefined,
  tickMs: number,
  helpers: RunHelpers,
): Source {
  const source$ = emptySource(stream, helpers);
  for (const { column, kind, letter } of stream.notifications) {
    const value = values?.get(letter);
    source$.messages.push({
      frame: column * tickMs,
      notification:
        kind === 'next'
          ? { kind: 'N', value }
          : kind === 'error'
            ? { kind: 'E', error: value }
            : { kind: 'C' },
    });
  }
  return source$;
}

/** RxJS schedules whatever stands in `messages`, so a row is filled in, one tick of any length to a column. */
function emptySource({ cold }: MarbleStream, helpers: RunHelpers) {
  return cold ? helpers.cold<unknown>('') : helpers.hot<unknown>('');
}

function watch(
  marble: Marble,
  operators: MarbleOperators,
  sources: readonly Source[],
  emissions: Recorded,
  scheduler: TestScheduler,
  { expectObservable }: RunHelpers,
): void {
  const inputs = Object.fromEntries(
    marble.inputs.flatMap(({ title }, at) => (sources[at] ? [[title, sources[at]]] : [])),
  );
  const outputs = buildOutputs(marble, operators, inputs, scheduler);
  for (const { title, subscriptions } of marble.outputs) {
    const output$ = outputs[title];
    const into = emissions.get(title);
    if (output$ === undefined || into === undefined) continue;
    // The scheduler only subscribes; the comparison is made by this runner, so there is nothing to expect here.
    expectObservable(
      output$.pipe(recordEmissions(into, scheduler)),
      watchRow(subscriptions[0], marble.tickMs),
    );
  }
}

/** When an output is watched, in RxJS's words, where a column is a millisecond. */
function watchRow(times: MarbleStream['subscriptions'][number] | undefined, tickMs: number): string | null {
  if (times === undefined) return null;
  const from = times.from * tickMs;
  if (times.to === null) return `${from}ms ^`;
  const to = times.to * tickMs;
  return to === from ? `${from}ms (^!)` : `${from}ms ^ ${to - from - 1}ms !`;
}

/** Long enough for any wait that a picture can be about, short enough to notice what never ends. */
function lastMoment({ inputs, outputs, tickMs }: Marble): number {
  const columns = Math.max(...[...inputs, ...outputs].map(({ text }) => text.length));
  return columns * tickMs + Math.max(100_000, 1000 * tickMs);
}

function resultOf(
  marble: Marble,
  emissions: Recorded,
  sources: readonly Source[],
  reasons: readonly string[],
): MarbleResult {
  const outputs = marble.outputs.map((stream) => {
    const came = emissions.get(stream.title) ?? [];
    return { stream, emissions: came, reasons: compareOutput(stream, came, marble.tickMs) };
  });
  const subscriptions = marble.inputs.map((stream, index) => {
    const logs = (sources[index]?.subscriptions ?? []).map(timesOf);
    return { stream, subscriptions: logs, reasons: compareSubscriptions(stream, logs, marble.tickMs) };
  });
  const passed = [...outputs, ...subscriptions, { reasons }].every((part) => part.reasons.length === 0);
  return { marble, passed, outputs, subscriptions, reasons };
}

function timesOf({ subscribedFrame, unsubscribedFrame }: Source['subscriptions'][number]): SubscriptionTimes {
  return { from: subscribedFrame, to: unsubscribedFrame === Infinity ? null : unsubscribedFrame };
}
