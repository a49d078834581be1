import type { FleetEvent } from '../../core/events/fleet-event.js';
import { stringifyJson } from '../json/json-value.js';
import type { RecordedStart, RecordingHeader } from './recording.js';

/** The first line of a recording. */
export function recordingHeaderText({ policy, description }: RecordingHeader): string {
  return stringifyJson({ tidemark: 'recording', version: 1, policy, description });
}

/** An event as a line of a recording. `at` is the time since the start of the recording, in milliseconds. */
export function recordedEventText(at: number, event: FleetEvent | RecordedStart): string {
  const plain = event.kind === 'configs' ? { ...event, workers: Object.fromEntries(event.workers) } : event;
  return stringifyJson({ at, event: plain });
}
