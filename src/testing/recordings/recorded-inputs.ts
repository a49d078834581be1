import { type OperatorFunction, connect, defer, filter, groupBy, map, mergeMap, zip } from 'rxjs';
import type { FleetEvent, FleetStart, InstanceChanged } from '../../core/events/fleet-event.js';
import {
  InstanceMembers,
  decodeEvent,
  instanceDifferences,
  prefillEvent,
} from '../../core/pipeline/instance-events.js';
import type { InstanceChange } from '../../core/pipeline/monitor-sources.js';
import type { RecordedInput, RecordedInstances } from '../../wire/recording/recording.js';

/** A recorded change of instances. */
type RecordedChange = RecordedInstances | InstanceChanged;

/** The decode instances, or one prefill watch: its number is absent for decode instances. */
interface Watched {
  readonly members: InstanceMembers;
  readonly watch?: number;
  isClosed?: boolean;
}

/**
 * Turns recorded inputs into events of the reducer: each snapshot of instances gets its difference from the one before,
 * as {@link instanceEvents} and {@link prefillEvents} find it. Other events are passed on as they are.
 *
 * @param start the instances that are known before the first event
 */
export function recordedInputs({ decodeInstances, prefillInstances }: FleetStart = {}): OperatorFunction<
  RecordedInput,
  FleetEvent
> {
  return (inputs$) =>
    defer(() => {
      const decode: Watched = { members: new InstanceMembers(decodeInstances) };
      const watches: Watched[] = [];
      const attach = (members: InstanceMembers): Watched => {
        const attached: Watched = { members, watch: watches.length };
        watches.push(attached);
        return attached;
      };
      /** The reducer ignores the changes of a watch that is closed or was never attached, so that they have no effect here. */
      const watched = (watch: number): Watched => {
        const known = watches[watch];
        return known === undefined || known.isClosed === true
          ? { members: new InstanceMembers(), watch }
          : known;
      };
      if (prefillInstances !== undefined) attach(new InstanceMembers(prefillInstances));

      /** What an input changes; `null` for one that is passed on as it is. */
      const watchedBy = (input: RecordedInput): Watched | null => {
        switch (input.kind) {
          case 'decodeInstances':
            return decode;
          case 'prefillAttached':
            return attach(new InstanceMembers(watches.at(-1)?.members.ids));
          case 'prefillInstances':
            return watched(input.watch ?? watches.length - 1);
          case 'instance':
            if (input.role !== 'prefill') return decode;
            if (input.watch !== undefined) return watched(input.watch);
            // It changes the open watch, which only the reducer knows. A worker too many is removed without effect later.
            if (input.present)
              for (const { members, isClosed } of watches) if (isClosed !== true) members.note(input);
            return null;
          case 'prefillClosed':
            watched(input.watch ?? watches.length - 1).isClosed = true;
            return null;
          default:
            return null;
        }
      };
      return inputs$.pipe(
        groupBy(watchedBy),
        mergeMap((group$) =>
          group$.key === null ? group$.pipe(filter(isUnchanged)) : group$.pipe(instanceInputs(group$.key)),
        ),
      );
    });
}

function isUnchanged(input: RecordedInput): input is Exclude<RecordedInput, RecordedInstances> {
  return !('workerIds' in input);
}

/** The events of the recorded changes of one watch, or of the decode instances. */
function instanceInputs({ members, watch }: Watched): OperatorFunction<RecordedInput, FleetEvent> {
  return (inputs$) =>
    inputs$.pipe(
      connect((shared$) =>
        zip(
          shared$,
          shared$.pipe(filter(isInstanceInput), map(instanceChange), instanceDifferences(members)),
        ),
      ),
      map(([{ kind }, change]) =>
        watch === undefined ? decodeEvent(change) : prefillEvent(change, watch, kind === 'prefillAttached'),
      ),
    );
}

function isInstanceInput(input: RecordedInput): input is RecordedChange {
  return 'workerIds' in input || input.kind === 'instance';
}

/** A recorded change of instances as a source of instances emits it. */
function instanceChange(input: RecordedChange): InstanceChange {
  if ('workerIds' in input) return input.workerIds;
  const { workerId, present } = input;
  return { workerId, present };
}
