import { concatMap, map, Observable, ReplaySubject, timer, type SchedulerLike } from 'rxjs';
import { TidemarkError } from '../../../core/errors.js';
import type { Role } from '../../../core/events/fleet-event.js';
import { loadMonitor, type LoadMonitor } from '../../../core/pipeline/load-monitor.js';
import type { ConfigChange, InstanceChange, MonitorSources } from '../../../core/pipeline/monitor-sources.js';
import { changeInEvent } from '../../../core/state/threshold-changes.js';
import type { JsonValue } from '../../../wire/json/json-value.js';
import type { RecordedInput } from '../../../wire/recording/recording.js';
import { recordedInputs } from '../../recordings/recorded-inputs.js';
import type { MarbleContext, MarbleOperator, MarbleOutputs } from '../run/marble-operator.js';
import { type PolicyLookup, fleetArguments, fleetEventOf, shownTransition } from './reducer-operators.js';

/** When the monitor is connected, stopped and connected again, in milliseconds. */
interface MonitorTimes {
  readonly connectAt: number;
  readonly stopAt: number | undefined;
  readonly reconnectAt: number | undefined;
  /** When the outputs are subscribed to; a time after `connectAt` is a late subscription. */
  readonly subscribeAt: number | undefined;
  readonly unsubscribeAt: number | undefined;
}

/**
 * `loadMonitor({ policy, …start, connectAt, stopAt, reconnectAt, subscribeAt, unsubscribeAt })`: a monitor whose
 * sources are the inputs, by title.
 *
 * 1. Titles of inputs: `loads`, `configs`, `decodeInstances`, `prefillInstances`, `thresholds`, `events`. Letters are
 *    events in the JSON form of a recording, of kinds that fit the source; `#` and `|` are the source's error and end.
 * 2. In `prefillInstances`, `prefillAttached` is a new watch, `prefillInstances` its next set, `prefillClosed` its end, and
 *    `instancesError` its error. The `#` and `|` of the row are those of the outer stream.
 * 3. Outputs: `steps`, `busy`, `transitions`, `fleet` (the number of busy workers), `cleanups`, `problems` (codes),
 *    `status` (`"source state"` of each source).
 */
export const monitorOperator = (lookup: PolicyLookup): MarbleOperator => ({
  read: fleetEventOf,
  build: (args, context) => {
    const { times, rest } = timesOf(args);
    const { policy, start } = fleetArguments(rest, lookup);
    const { thresholds, role } = start;
    const monitor = loadMonitor(sourcesOf(context), {
      policy,
      ...(thresholds && { thresholds }),
      ...(role && { role }),
      scheduler: context.scheduler,
    });
    return outputsOf(monitor, times, context.scheduler);
  },
});

function timesOf(args: readonly JsonValue[]): { times: MonitorTimes; rest: JsonValue[] } {
  const [given = {}, ...others] = args;
  const named = typeof given === 'object' && given !== null && !Array.isArray(given);
  const fields = named ? { ...(given as Readonly<Record<string, JsonValue>>) } : {};
  const take = (name: string): number | undefined => {
    const value = fields[name];
    if (value !== undefined && typeof value !== 'number')
      throw new TidemarkError('marble-call', `${name} must be a number of milliseconds`);
    delete fields[name];
    return value;
  };
  const times = {
    connectAt: take('connectAt') ?? 0,
    stopAt: take('stopAt'),
    reconnectAt: take('reconnectAt'),
    subscribeAt: take('subscribeAt'),
    unsubscribeAt: take('unsubscribeAt'),
  };
  return { times, rest: [named ? fields : given, ...others] };
}

function outputsOf(monitor: LoadMonitor, times: MonitorTimes, scheduler: SchedulerLike): MarbleOutputs {
  const outputs = {
    steps: monitor.steps$.pipe(map(({ at }) => at)),
    busy: monitor.busy$.pipe(map((busy) => [...busy])),
    transitions: monitor.transitions$.pipe(map(shownTransition)),
    fleet: monitor.fleet$.pipe(map(({ busy }) => busy)),
    cleanups: monitor.cleanups$,
    problems: monitor.problems$.pipe(map(({ code }) => code)),
    status: monitor.status$.pipe(map((all) => all.map(({ source, state }) => `${source} ${state}`))),
  } satisfies MarbleOutputs;
  const startLifecycle = scheduleLifecycle(monitor, times, scheduler);
  return Object.fromEntries(
    Object.entries(outputs).map(([title, output$]) => [
      title,
      subscribedAt<unknown>(output$, startLifecycle, times, scheduler),
    ]),
  );
}

/** Returns a function that schedules the lifecycle of the monitor once, whichever output is subscribed to first. */
function scheduleLifecycle(
  monitor: LoadMonitor,
  { connectAt, stopAt, reconnectAt }: MonitorTimes,
  scheduler: SchedulerLike,
): () => void {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    const connect = (): void => void monitor.connect();
    // All outputs are subscribed to before the monitor is connected, even at the same time.
    scheduler.schedule(connect, connectAt);
    if (stopAt !== undefined) scheduler.schedule(() => monitor.stop(), stopAt);
    if (reconnectAt !== undefined) scheduler.schedule(connect, reconnectAt);
  };
}

function subscribedAt<T>(
  output$: Observable<T>,
  startLifecycle: () => void,
  times: MonitorTimes,
  scheduler: SchedulerLike,
): Observable<T> {
  return new Observable((subscriber) => {
    startLifecycle();
    if (times.subscribeAt === undefined && times.unsubscribeAt === undefined)
      return output$.subscribe(subscriber);
    const subscription = timer(times.subscribeAt ?? 0, scheduler)
      .pipe(concatMap(() => output$))
      .subscribe(subscriber);
    if (times.unsubscribeAt !== undefined)
      subscription.add(scheduler.schedule(() => subscription.unsubscribe(), times.unsubscribeAt));
    return subscription;
  });
}

function sourcesOf({ inputs, scheduler }: MarbleContext): MonitorSources {
  const unknown = Object.keys(inputs).filter((title) => !titles.includes(title));
  if (unknown.length > 0)
    throw new TidemarkError(
      'marble-call',
      `a monitor has no source ${unknown.join(', ')}; the sources are ${titles.join(', ')}`,
    );
  const source = <T>(title: string, read: (event: RecordedInput) => T): Observable<T> | undefined =>
    (inputs[title] as Observable<RecordedInput> | undefined)?.pipe(
      map((event) => {
        try {
          return read(event);
        } catch (error) {
          // The monitor would treat this as an error of the source, so it is also thrown outside of the streams.
          scheduler.schedule(() => void read(event));
          throw error;
        }
      }),
    );
  const loads = source('loads', (event) => eventOfKind(event, 'load'));
  const configs = source('configs', configChange);
  const decodeInstances = source('decodeInstances', (event) => instanceChange(event, 'decode'));
  const prefill$ = source('prefillInstances', (event) => event);
  const thresholds = source('thresholds', (event) => changeInEvent(eventOfKind(event, 'thresholds')));
  const events = source('events', (event) => event)?.pipe(recordedInputs());
  return {
    ...(loads && { loads }),
    ...(configs && { configs }),
    ...(decodeInstances && { decodeInstances }),
    ...(prefill$ && { prefillInstances: watches(prefill$) }),
    ...(thresholds && { thresholds }),
    ...(events && { events }),
  };
}

const titles = ['loads', 'configs', 'decodeInstances', 'prefillInstances', 'thresholds', 'events'];

function eventOfKind<Kind extends RecordedInput['kind']>(
  event: RecordedInput,
  kind: Kind,
): Extract<RecordedInput, { kind: Kind }> {
  if (event.kind !== kind)
    throw new TidemarkError('marble-call', `an event of kind ${event.kind} does not belong to this source`);
  return event as Extract<RecordedInput, { kind: Kind }>;
}

function configChange(event: RecordedInput): ConfigChange {
  if (event.kind === 'configs') return event.workers;
  const { workerId, config } = eventOfKind(event, 'config');
  return { workerId, config };
}

function instanceChange(event: RecordedInput, role: Role): InstanceChange {
  if (event.kind !== 'instance') return eventOfKind(event, `${role}Instances`).workerIds;
  const { workerId, present, role: eventRole = 'decode' } = event;
  if (eventRole !== role)
    throw new TidemarkError('marble-call', `an instance of role ${eventRole} does not belong to this source`);
  return { workerId, present };
}

/** The watches of a row of prefill events. */
function watches(events$: Observable<RecordedInput>): Observable<Observable<InstanceChange>> {
  return new Observable((subscriber) => {
    const attached: ReplaySubject<InstanceChange>[] = [];
    return events$.subscribe({
      next: (event) => {
        if (event.kind === 'prefillAttached') {
          const watch$ = new ReplaySubject<InstanceChange>(Infinity);
          watch$.next(event.workerIds);
          attached.push(watch$);
          return subscriber.next(watch$);
        }
        const watch$ = attached[('watch' in event ? event.watch : undefined) ?? attached.length - 1];
        if (watch$ === undefined)
          throw new TidemarkError('marble-call', `there is no watch for an event of kind ${event.kind}`);
        if (event.kind === 'prefillClosed') watch$.complete();
        else if (event.kind === 'instancesError') watch$.error(new Error('the watch failed'));
        else watch$.next(instanceChange(event, 'prefill'));
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
  });
}
