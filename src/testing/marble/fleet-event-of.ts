import type { FleetEvent } from '../../core/fleet-event.js';
import type { JsonValue } from '../../wire/json-value.js';
import { recordedEventOfValue } from '../../wire/recorded-event-of-value.js';

/**
 * The event that a letter stands for, in the JSON form of a recording. Stricter than a recording: a field that
 * nobody reads would make a picture say what does not happen.
 *
 * @throws Error that says what is wrong with it
 */
export function fleetEventOf(value: JsonValue): FleetEvent {
  const read = recordedEventOfValue(value);
  if ('error' in read) throw new Error(`this is no event: ${read.error.message}`);
  const { event } = read;
  if (event.kind === 'start' || event.kind === 'message')
    throw new Error(
      `an event of kind ${event.kind} belongs in a recording; the operator takes the start as argument`,
    );
  const unread = unreadField(value, event);
  if (unread !== undefined) throw new Error(`an event of kind ${event.kind} has no field ${unread}`);
  return event;
}

/** The path of the first field that was given and is not in what was made of it. `null` may have become nothing. */
export function unreadField(given: JsonValue, made: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || typeof made !== 'object' || made === null)
    return undefined;
  for (const [key, value] of Object.entries(given)) {
    if (value === null) continue;
    const inner: unknown =
      made instanceof Map
        ? made.get(key)
        : Object.hasOwn(made, key)
          ? made[key as keyof typeof made]
          : undefined;
    if (inner === undefined) return key;
    const below = unreadField(value, inner);
    if (below !== undefined) return `${key}.${below}`;
  }
  return undefined;
}
