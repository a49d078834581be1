import {
  type Observable,
  type ObservableInput,
  type OperatorFunction,
  catchError,
  connect,
  defer,
  filter,
  from,
  identity,
  map,
  merge,
  mergeMap,
  of,
  startWith,
  tap,
  throwError,
} from 'rxjs';
import { type WatchItem, attachLate } from '../../operators/attach-late.js';
import { errorText } from '../../operators/error-text.js';
import { setDifference } from '../../operators/set-difference.js';
import type { FleetEvent, InstancesListed, Role } from '../events/fleet-event.js';
import type { WorkerId } from '../worker-id.js';
import { asEvents } from './as-events.js';
import type { InstanceChange } from './monitor-sources.js';

/** One instance that joined or left. */
type SingleChange = Extract<InstanceChange, { readonly workerId: WorkerId }>;
type Snapshot = Exclude<InstanceChange, SingleChange>;

/** What changed in a stream of instances: the difference of a snapshot, or a single change. */
export type InstanceDifference = InstancesListed | SingleChange;

/** The instances of a stream after its last change. */
export class InstanceMembers {
  /** Those of the last snapshot, which is not copied, until a single change follows. */
  private snapshot: ReadonlySet<WorkerId> = new Set();
  private changed: Set<WorkerId> | undefined;

  constructor(ids: Iterable<WorkerId> = []) {
    this.startFrom(ids);
  }

  get ids(): ReadonlySet<WorkerId> {
    return this.changed ?? this.snapshot;
  }

  startFrom(ids: Iterable<WorkerId>): void {
    this.snapshot = new Set(ids);
    this.changed = undefined;
  }

  note(change: InstanceDifference): void {
    if (!isSingle(change)) {
      this.snapshot = change.present;
      this.changed = undefined;
      return;
    }
    this.changed ??= new Set(this.snapshot);
    if (change.present) this.changed.add(change.workerId);
    else this.changed.delete(change.workerId);
  }
}

function isSingle(change: InstanceChange | InstanceDifference): change is SingleChange {
  return 'workerId' in change;
}

function isSnapshot(change: InstanceChange): change is Snapshot {
  return !isSingle(change);
}

/** The differences of the snapshots, with the single changes merged in. A single change costs the same in every fleet. */
export function instanceDifferences(
  members: InstanceMembers,
): OperatorFunction<InstanceChange, InstanceDifference> {
  return (changes$) =>
    changes$.pipe(
      connect((shared$) =>
        merge(
          shared$.pipe(
            filter(isSnapshot),
            setDifference(identity<WorkerId>, () => members.ids),
          ),
          shared$.pipe(filter(isSingle)),
        ),
      ),
      tap((difference) => members.note(difference)),
    );
}

/** The event of a change in the decode instances. */
export function decodeEvent(change: InstanceDifference): FleetEvent {
  return isSingle(change) ? { kind: 'instance', ...change } : { kind: 'decodeInstances', ...listed(change) };
}

/** The event of a change in a prefill watch. The first change of a watch, which is a snapshot, attaches it. */
export function prefillEvent(change: InstanceDifference, watch: number, isFirst: boolean): FleetEvent {
  if (isSingle(change)) return { kind: 'instance', role: 'prefill', watch, ...change };
  return isFirst
    ? { kind: 'prefillAttached', ...listed(change) }
    : { kind: 'prefillInstances', watch, ...listed(change) };
}

function listed({ added, removed, present }: InstancesListed): InstancesListed {
  return { added, removed, present };
}

const ENDED: FleetEvent = { kind: 'instancesEnded' };
const failed = (text: string): FleetEvent => ({ kind: 'instancesError', text });

/**
 * Turns the instances of a role into events of the reducer. It is {@link setDifference} with single changes merged in.
 *
 * 1. A snapshot gives one event `{added, removed, present}`, even if nothing differs from the instances before: being
 *    listed again revives a worker that was reported down.
 * 2. A single change gives one event, at a cost that does not depend on the number of instances.
 * 3. With the role `decode`, the first event is an empty snapshot, which reports on subscription that the source exists.
 *    An error becomes a problem and the end of the source; the end becomes an event, and the policy decides what follows.
 * 4. With the role `prefill`, the source is one watch, which attaches with its first change. Its error becomes a problem,
 *    and its last instances are kept. For watches that arrive late, or one after another, use {@link prefillEvents}.
 * 5. It never errors.
 *
 * ```
 *   instances$  --1---2---3---|      1: {7}   2: {7, 8}   3: {8}
 *            instanceEvents('decode')
 *   events      o-a---b---c---(e|)   o: none   a: +7   b: +8   c: -7   e: the source ended
 * ```
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { instanceEvents, workerId } from 'tidemark';
 *
 * of([workerId('7')], [workerId('8')])
 *   .pipe(instanceEvents('decode'))
 *   .subscribe((event) => {
 *     if (event.kind === 'decodeInstances') console.log(event.added, event.removed);
 *   });
 * // Logs: [] []
 * // Logs: [ '7' ] []
 * // Logs: [ '8' ] [ '7' ]
 * ```
 *
 * @see {@link configEvents}, {@link loadEvents}, {@link thresholdEvents}, {@link reduceFleet}
 */
export function instanceEvents(role: Role): OperatorFunction<InstanceChange, FleetEvent> {
  if (role === 'prefill') return (changes$) => of(changes$).pipe(prefillEvents());
  return (changes$) =>
    defer(() =>
      changes$.pipe(
        startWith<InstanceChange>([]),
        instanceDifferences(new InstanceMembers()),
        asEvents('decodeInstances', decodeEvent, failed, ENDED),
      ),
    );
}

/**
 * Turns watches on prefill instances, which arrive at any time or never, into events of the reducer.
 *
 * 1. A watch is attached with its first change. Watches are numbered from 0 in this order, and the policy decides what a
 *    second one does while another is open.
 * 2. Snapshots and single changes are those of {@link instanceEvents}. The first snapshot of a watch is compared with the
 *    last instances of the watch that was attached before it, which it may replace.
 * 3. The end of a watch is an event. Its error is a problem first. The other watches continue.
 * 4. An error of the outer stream becomes a problem, and its end gives no event. It never errors.
 *
 * ```
 *   watches$$  --a-----b-----|
 *   a            1--2-----------
 *   b                  3--------     3 is compared with 2
 *            prefillEvents()
 *   events     --x--y--z--------     x: attached   y: changed   z: attached
 * ```
 *
 * @see {@link attachLate}, {@link instanceEvents}
 */
export function prefillEvents(): OperatorFunction<ObservableInput<InstanceChange>, FleetEvent> {
  return (watches$$) =>
    defer(() => {
      let latest = new InstanceMembers();
      const differencesOf = (watch$: ObservableInput<InstanceChange>): Observable<InstanceDifference> =>
        defer(() => {
          const members = new InstanceMembers();
          return from(watch$).pipe(
            mergeMap((change, index) => {
              if (index > 0) return [change];
              members.startFrom(latest.ids);
              latest = members;
              // A watch that begins with one worker attaches with no others.
              return isSingle(change) ? [[], change] : [change];
            }),
            instanceDifferences(members),
          );
        });
      return attachLate(watches$$.pipe(map(differencesOf), catchError(failedWatch))).pipe(
        mergeMap(watchEvents),
      );
    });
}

/** The error of the outer stream as a watch that failed before its first change, so that the other watches continue. */
function failedWatch(error: unknown): Observable<Observable<never>> {
  return of(throwError(() => error));
}

function watchEvents(item: WatchItem<InstanceDifference>): FleetEvent[] {
  switch (item.kind) {
    case 'attached':
    case 'next':
      return [prefillEvent(item.value, item.watch, item.kind === 'attached')];
    case 'closed':
      return [{ kind: 'prefillClosed', watch: item.watch }];
    case 'error': {
      const error = failed(`a watch on prefill instances failed: ${errorText(item.error)}`);
      return item.watch === null ? [error] : [error, { kind: 'prefillClosed', watch: item.watch }];
    }
  }
}
