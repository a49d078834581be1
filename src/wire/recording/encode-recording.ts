import type { FleetEvent } from '../../core/events/fleet-event.js';
import { stringifyJson } from '../json/json-value.js';
import type { RecordedStart, RecordingHeader } from './recording.js';

/** The first line of a recording. */
export function recordingHeaderText({ policy, description }: RecordingHeader): string {
  return stringifyJson({ tidemark: 'recording', version: 1, policy, description });
}

/** An event as a line of a recording. `at` is the time since the start of the recording, in milliseconds. */
export function recordedEventText(at: number, event: FleetEvent | RecordedStart): string {
  return stringifyJson({ at, event: recordedForm(event) });
}

/** An event with the fields that a recording has: of a snapshot of instances, those that are present. */
function recordedForm(event: FleetEvent | RecordedStart): object {
  switch (event.kind) {
    case 'configs':
      return { ...event, workers: Object.fromEntries(event.workers) };
    case 'decodeInstances':
    case 'prefillAttached':
      return { kind: event.kind, workerIds: [...event.present] };
    case 'prefillInstances': {
      const { kind, watch, present } = event;
      return { kind, workerIds: [...present], ...(watch !== undefined && { watch }) };
    }
    case 'start': {
      const { configs, role, ...rest } = event;
      return {
        ...rest,
        ...(configs !== undefined && { cards: configs }),
        ...(role !== undefined && { source: role }),
      };
    }
    default:
      return event;
  }
}
