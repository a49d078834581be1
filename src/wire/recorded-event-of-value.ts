import { decodeErrorOf, type DecodeError } from './decode-error.js';
import { jsonNodeOf, type JsonValue } from './json-value.js';
import { recordedEvent } from './recorded-event.js';
import type { RecordedEvent } from './recording.js';

/** The event that plain data tells, written as a recording writes it. Unknown fields are passed over. */
export function recordedEventOfValue(
  value: JsonValue,
): { readonly event: RecordedEvent } | { readonly error: DecodeError } {
  return decodeErrorOf(() => ({ event: recordedEvent(jsonNodeOf(value)) }));
}
