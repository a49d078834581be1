import type { FleetEvent } from '../core/fleet-event.js';
import type { RecordedStart, RecordingHeader } from '../wire/recording.js';
import { jsonText } from '../wire/json-text.js';

/** The first line of a recording. */
export function recordingHeaderText({ policy, description }: RecordingHeader): string {
  return jsonText({ tidemark: 'recording', version: 1, policy, description });
}

/** An event as a line of a recording, so many milliseconds after its beginning. */
export function recordedEventText(at: number, event: FleetEvent | RecordedStart): string {
  const plain = event.kind === 'configs' ? { ...event, workers: Object.fromEntries(event.workers) } : event;
  return jsonText({ at, event: plain });
}
