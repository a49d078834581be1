import type { FleetEvent, FleetStart } from '../../core/events/fleet-event.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { ProblemCode } from '../../core/sources/problem.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import type { WorkerId } from '../../core/worker-id.js';

/** The first line of a recording. */
export interface RecordingHeader {
  readonly policy: string;
  readonly description: string;
}

/** A new monitor without memory begins. */
export interface RecordedStart extends FleetStart {
  readonly kind: 'start';
  readonly name?: string;
  readonly about?: string;
}

/** One raw message on the load subscription, to be decoded under the policy. */
export interface RecordedMessage {
  readonly kind: 'message';
  readonly payload: Uint8Array;
}

/** What a recording holds: what enters the reducer, and what makes one or is decoded first. */
export type RecordedEvent = FleetEvent | RecordedStart | RecordedMessage;

/** What must hold after the lines before. A key that is absent expects nothing. */
export interface Expectation {
  readonly busy?: readonly WorkerId[];
  readonly cleanup?: readonly Cleanup[];
  readonly thresholds?: LoadThresholds;
  /** The codes of the problems that the event line before brought about, in order. Only our own recordings use it. */
  readonly problems?: readonly ProblemCode[];
}

/** One line of a recording after the header. `line` counts from 1, `at` is in milliseconds since its beginning. */
export type RecordingLine =
  | { readonly line: number; readonly at: number; readonly event: RecordedEvent }
  | { readonly line: number; readonly at: number; readonly expect: Expectation };

/** A whole recording. */
export interface Recording {
  readonly header: RecordingHeader;
  readonly lines: readonly RecordingLine[];
}
