import { from } from 'rxjs';
import type { FleetEvent, FleetStart } from '../../src/core/events/fleet-event.js';
import { recordedInputs } from '../../src/testing/recordings/recorded-inputs.js';
import type { RecordedInput } from '../../src/wire/recording/recording.js';

/** Recorded inputs as events of the reducer, one for each. */
export function fleetEventsOf(inputs: readonly RecordedInput[], start?: FleetStart): FleetEvent[] {
  const events: FleetEvent[] = [];
  from(inputs)
    .pipe(recordedInputs(start))
    .subscribe((event) => events.push(event));
  return events;
}
