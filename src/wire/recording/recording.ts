import type { FleetEvent, FleetStart, InstancesListed } from '../../core/events/fleet-event.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { ProblemCode } from '../../core/sources/problem.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import type { WorkerId } from '../../core/worker-id.js';

/** The first line of a recording. */
export interface RecordingHeader {
  readonly policy: string;
  readonly description: string;
}

/** A new monitor starts, without any state. A recording calls `configs` "cards", and `role` "source". */
export interface RecordedStart extends FleetStart {
  readonly kind: 'start';
  readonly name?: string;
  readonly about?: string;
}

/** One raw message on the load subscription, which is decoded under the policy of the recording. */
export interface RecordedMessage {
  readonly kind: 'message';
  readonly payload: Uint8Array;
}

/** A recorded snapshot of instances: those that are present. Its difference from the one before is found on replay. */
export type RecordedInstances =
  | { readonly kind: 'decodeInstances' | 'prefillAttached'; readonly workerIds: readonly WorkerId[] }
  | { readonly kind: 'prefillInstances'; readonly workerIds: readonly WorkerId[]; readonly watch?: number };

/** An input of the reducer, as a recording has it. */
export type RecordedInput = Exclude<FleetEvent, InstancesListed> | RecordedInstances;

/** An event of a recording: an input of the reducer, the start of one, or a message that is decoded first. */
export type RecordedEvent = RecordedInput | RecordedStart | RecordedMessage;

/** The expected results of the previous lines. An absent key expects nothing. */
export interface Expectation {
  readonly busy?: readonly WorkerId[];
  readonly cleanup?: readonly Cleanup[];
  readonly thresholds?: LoadThresholds;
  /** The codes of the problems that the previous event caused, in order. Only tidemark's own recordings use it. */
  readonly problems?: readonly ProblemCode[];
}

/** One line of a recording after the header. `line` counts from 1; `at` is in milliseconds since the start. */
export type RecordingLine =
  | { readonly line: number; readonly at: number; readonly event: RecordedEvent }
  | { readonly line: number; readonly at: number; readonly expect: Expectation };

/** A parsed recording. */
export interface Recording {
  readonly header: RecordingHeader;
  readonly lines: readonly RecordingLine[];
}
