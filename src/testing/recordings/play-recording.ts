import { Subject, VirtualTimeScheduler } from 'rxjs';
import type { FleetStart } from '../../core/events/fleet-event.js';
import { type FoldedFleet, foldFleet, isStep } from '../../core/pipeline/fold-fleet.js';
import { LoadThresholdConfig } from '../../core/policy/load-threshold-config.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import { policyNamed } from '../../core/policy/policies.js';
import type { Problem } from '../../core/sources/problem.js';
import type { FleetLoad } from '../../core/state/fleet-load.js';
import { fleetProblems } from '../../core/state/fleet-problems.js';
import type { FleetStep, Transition } from '../../core/state/fleet-step.js';
import { workerOf } from '../../core/state/threshold-changes.js';
import { type WorkerId, compareWorkerIds } from '../../core/worker-id.js';
import type { DecodeError } from '../../wire/decode-error.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';
import type { Expectation, RecordedEvent, RecordedInput, Recording } from '../../wire/recording/recording.js';
import { firstStep, step } from '../model/model.js';
import { recordedInputs } from './recorded-inputs.js';

/** What one event caused. */
export type Played = Pick<FleetStep, 'transitions' | 'cleanups' | 'problems'>;

/** The result of an event that caused nothing. */
const nothingPlayed: Played = { transitions: [], cleanups: [], problems: [] };

/** An implementation of the rules: the fast state, or the reference model. */
export interface Player {
  apply(event: RecordedInput, at: number): Played;
  busy(): readonly WorkerId[];
  thresholds(): LoadThresholds;
}

/** The fold that runs in production, in virtual time. */
class FoldPlayer implements Player {
  private readonly clock = new VirtualTimeScheduler();
  private readonly inputs$ = new Subject<RecordedInput>();
  private played: Played = nothingPlayed;
  private fleet: FleetLoad | undefined;
  /** Thresholds outlive the end of a monitor, as they do in the original. */
  private inForce: LoadThresholdConfig;

  constructor(policy: LoadPolicy, start: FleetStart) {
    this.inForce = LoadThresholdConfig.defaults(policy).update(start.thresholds ?? {});
    this.connect(policy, start);
  }

  apply(event: RecordedInput, at: number): Played {
    this.played = nothingPlayed;
    this.clock.maxFrames = at;
    this.clock.flush();
    this.clock.frame = at;
    if (this.inputs$.observed) this.inputs$.next(event);
    else if (event.kind === 'thresholds' && workerOf(event) === undefined)
      this.inForce = this.inForce.update(event, event.nullTurnsOff);
    return this.played;
  }

  busy(): readonly WorkerId[] {
    return [...(this.fleet?.busy ?? [])];
  }

  thresholds(): LoadThresholds {
    return this.inForce;
  }

  private connect(policy: LoadPolicy, start: FleetStart): void {
    this.inputs$.pipe(recordedInputs(start), foldFleet(policy, start, this.clock)).subscribe({
      next: (folded) => this.note(folded),
      error: (error: unknown) => {
        throw error;
      },
    });
  }

  private note({ fleet, made: step }: FoldedFleet): void {
    this.fleet = fleet;
    if (!isStep(step)) return;
    const { transitions, cleanups, problems } = this.played;
    this.inForce = step.thresholds;
    this.played = {
      transitions: [...transitions, ...step.transitions],
      cleanups: [...cleanups, ...step.cleanups],
      problems: [...problems, ...step.problems],
    };
  }
}

/** The players by name. */
export const players = {
  fast: (policy: LoadPolicy, start: FleetStart): Player => new FoldPlayer(policy, start),
  model: (policy: LoadPolicy, start: FleetStart): Player => {
    let last = firstStep(policy, start);
    return {
      apply: (event, at) => (last = step(last.state, event, at)),
      busy: () => [...last.state.busy.keys()],
      thresholds: () => last.state.thresholds,
    };
  },
} as const;

/** The name of a player. */
export type PlayerName = keyof typeof players;

/** An expectation that was not met. */
export interface FailedExpectation {
  readonly line: number;
  readonly scenario: string;
  readonly key: keyof Expectation;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The result of playing a recording. */
export interface PlayedRecording {
  readonly policy: string;
  readonly scenarios: number;
  readonly events: number;
  readonly expectations: number;
  readonly failures: readonly FailedExpectation[];
}

/** How a recording is played. */
export interface PlayOptions {
  /** A policy to use instead of the recording's own. */
  readonly policy?: LoadPolicy;
  /** The implementation: `fast`, the state that runs in production, or `model`, the reference model. Default: `fast`. */
  readonly player?: PlayerName;
  /** Called with each transition. */
  readonly transition?: (transition: Transition) => void;
  /** Called with each problem, and the time of its event. */
  readonly problem?: (problem: Problem, at: number) => void;
}

/**
 * Plays a recording in virtual time, and compares the results with its expectations.
 *
 * 1. The policy is the recording's own unless another one is given.
 * 2. Every `start` makes a new state. A recording without a `start` begins with an empty state.
 * 3. Raw messages are decoded under the policy. A message that cannot be decoded is a problem.
 * 4. Every expectation line counts once, regardless of the number of its keys, and whether it is met or not.
 *
 * @throws UnknownPolicyError when the recording names a policy that is not in the table
 */
export function playRecording(recording: Recording, options: PlayOptions = {}): PlayedRecording {
  const policy = options.policy ?? policyNamed(recording.header.policy);
  const startPlayer = players[options.player ?? 'fast'];
  const decoder = new LoadDecoder(policy);
  const failures: FailedExpectation[] = [];
  let player = startPlayer(policy, {});
  let last = nothingPlayed;
  let scenario = '';
  const count = { scenarios: 0, events: 0, expectations: 0 };
  for (const entry of recording.lines) {
    if ('expect' in entry) {
      count.expectations += 1;
      const failed = compareExpectation(entry.expect, player, last);
      failures.push(...failed.map((failure) => ({ line: entry.line, scenario, ...failure })));
      continue;
    }
    if (entry.event.kind === 'start') {
      count.scenarios += 1;
      scenario = entry.event.name ?? `scenario ${count.scenarios}`;
      player = startPlayer(policy, entry.event);
      last = nothingPlayed;
      continue;
    }
    count.events += 1;
    last = playEvent(player, entry.event, entry.at, decoder);
    for (const transition of last.transitions) options.transition?.(transition);
    for (const problem of last.problems) options.problem?.(problem, entry.at);
  }
  return { policy: policy.name, ...count, failures };
}

function playEvent(
  player: Player,
  event: Exclude<RecordedEvent, { kind: 'start' }>,
  at: number,
  decoder: LoadDecoder,
): Played {
  if (event.kind !== 'message') return player.apply(event, at);
  const decoded = decoder.decode(event.payload);
  if ('load' in decoded) return player.apply(decoded.load, at);
  const problem =
    'error' in decoded ? undecodable(decoded.error) : fleetProblems.foreignTopic(decoded.foreignTopic);
  return { ...nothingPlayed, problems: [problem] };
}

function undecodable({ code, message, offset }: DecodeError): Problem {
  return { code: 'undecodable', source: 'loads', text: `${message} (${code} at byte ${offset})`, count: 1 };
}

function compareExpectation(
  expected: Expectation,
  player: Player,
  { cleanups, problems }: Played,
): Pick<FailedExpectation, 'key' | 'expected' | 'actual'>[] {
  const actual: { [Key in keyof Required<Expectation>]: unknown } = {
    busy: player.busy(),
    cleanup: cleanups,
    thresholds: thresholdsOf(player.thresholds()),
    problems: problems.map((problem) => problem.code),
  };
  const wanted = { ...expected, ...(expected.busy && { busy: expected.busy.toSorted(compareWorkerIds) }) };
  return (Object.keys(wanted) as (keyof Expectation)[])
    .filter((key) => comparableText(wanted[key]) !== comparableText(actual[key]))
    .map((key) => ({ key, expected: wanted[key], actual: actual[key] }));
}

function thresholdsOf(thresholds: LoadThresholds): LoadThresholds {
  const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
    thresholds;
  return { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac };
}

/** A text that is equal for equal values: keys are sorted, and 64-bit integers and special floats are kept. */
function comparableText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner)))
      return String(inner);
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
