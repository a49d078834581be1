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
 * Runs a marble file in virtual time, and compares the results with its expected rows.
 *
 * 1. Every run has its own scheduler. Inputs are hot unless the file says otherwise. Within a column, inputs emit in the
 *    order of the file.
 * 2. Every expected row is compared: values, order, times, error and end. An output that the file does not name is not
 *    subscribed to.
 * 3. The run continues until nothing is scheduled any more, so emissions after the last column count too. An endless
 *    output needs a row of subscriptions `^---!`.
 * 4. Inputs and outputs are frozen. A value that changes after it was emitted is a failure.
 * 5. Any use of real time is a failure: timers, clocks, promises.
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
 * // Logs: false [ 'value differs in column 1: expected b, got A' ]
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
    reasons.push(`an exception outside of the streams: ${String(error)}`);
  }
  for (const name of escaped) reasons.push(`${name} was used, which is real time; use a scheduler of RxJS`);
  if (scheduler.actions.length > 0 || [...emissions.values()].some(({ length }) => length > MAX_EMISSIONS))
    reasons.push('the run does not end; limit the time of an output with a row ^---! below it');
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

/** A source without messages. RxJS schedules its `messages`, so they can be added with a tick of any length. */
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
    // The scheduler only subscribes. This runner makes the comparison, so the expectation of the scheduler is not used.
    expectObservable(
      output$.pipe(recordEmissions(into, scheduler)),
      watchRow(subscriptions[0], marble.tickMs),
    );
  }
}

/** The time in which an output is watched, in the syntax of RxJS with a column of one millisecond. */
function watchRow(times: MarbleStream['subscriptions'][number] | undefined, tickMs: number): string | null {
  if (times === undefined) return null;
  const from = times.from * tickMs;
  if (times.to === null) return `${from}ms ^`;
  const to = times.to * tickMs;
  return to === from ? `${from}ms (^!)` : `${from}ms ^ ${to - from - 1}ms !`;
}

/** The end of the run: late enough for any wait that a diagram can show, early enough to detect an endless run. */
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
    const actual = emissions.get(stream.title) ?? [];
    return { stream, emissions: actual, reasons: compareOutput(stream, actual, marble.tickMs) };
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
