import type { FleetEvent } from '../core/fleet-event.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { LoadThresholds } from '../core/load-thresholds.js';
import { policyNamed } from '../core/policy-named.js';
import type { Problem } from '../core/problem.js';
import type { Transition } from '../core/transition.js';
import { compareWorkerIds } from '../core/worker-id.js';
import { LoadDecoder } from '../wire/load-decoder.js';
import type { Expectation, RecordedEvent, Recording } from '../wire/recording.js';
import type { ModelState } from './model-state.js';
import { firstStep, step, type ModelStep } from './model.js';

/** An expectation that did not hold. */
export interface FailedExpectation {
  readonly line: number;
  readonly scenario: string;
  readonly key: keyof Expectation;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** What playing a recording came to. */
export interface PlayedRecording {
  readonly policy: string;
  readonly scenarios: number;
  readonly events: number;
  readonly expectations: number;
  readonly failures: readonly FailedExpectation[];
}

/** What a listener is told while a recording plays. */
export interface PlayListener {
  readonly transition?: (transition: Transition) => void;
  readonly problem?: (problem: Problem, at: number) => void;
}

/**
 * Plays a recording through the reference model, in virtual time, and compares what it expects.
 *
 * 1. The policy is the recording's own unless another is given.
 * 2. Every `start` makes a new state. A recording without one begins with an empty state.
 * 3. Raw messages are decoded under the policy; one that does not decode is a problem.
 * 4. Every expectation line counts once, however many keys it has, and whether it holds or not.
 *
 * @throws UnknownPolicyError when the recording names a policy that the table does not hold
 */
export function playRecording(
  recording: Recording,
  policy?: LoadPolicy,
  listener: PlayListener = {},
): PlayedRecording {
  const rules = policy ?? policyNamed(recording.header.policy);
  const decoder = new LoadDecoder(rules);
  const failures: FailedExpectation[] = [];
  let last = firstStep(rules);
  let scenario = '';
  const count = { scenarios: 0, events: 0, expectations: 0 };
  for (const entry of recording.lines) {
    if ('expect' in entry) {
      count.expectations += 1;
      failures.push(
        ...compared(entry.expect, last).map((failed) => ({ line: entry.line, scenario, ...failed })),
      );
      continue;
    }
    if (entry.event.kind === 'start') {
      count.scenarios += 1;
      scenario = entry.event.name ?? `scenario ${count.scenarios}`;
      last = firstStep(rules, entry.event);
      continue;
    }
    count.events += 1;
    last = played(last.state, entry.event, entry.at, decoder);
    for (const transition of last.transitions) listener.transition?.(transition);
    for (const problem of last.problems) listener.problem?.(problem, entry.at);
  }
  return { policy: rules.name, ...count, failures };
}

function played(
  state: ModelState,
  event: Exclude<RecordedEvent, { kind: 'start' }>,
  at: number,
  decoder: LoadDecoder,
): ModelStep {
  if (event.kind !== 'message') return step(state, event, at);
  const decoded = decoder.decode(event.payload);
  if ('load' in decoded) return step(state, decoded.load, at);
  if ('foreignTopic' in decoded) return step(state, foreign(decoded.foreignTopic), at);
  const problem: Problem = { code: 'undecodable', source: 'loads', text: decoded.error.message, count: 1 };
  return { state, transitions: [], cleanups: [], problems: [problem] };
}

/** A message of another topic enters as a load that the reducer counts and ignores. */
function foreign(topic: string): FleetEvent {
  const silent = { activeDecodeBlocks: null, activePrefillTokens: null, kvUsedBlocks: null };
  return {
    kind: 'load',
    workerId: '0' as Extract<FleetEvent, { kind: 'load' }>['workerId'],
    dpRank: 0,
    ...silent,
    topic,
  };
}

function compared(
  expected: Expectation,
  { state, cleanups, problems }: ModelStep,
): Pick<FailedExpectation, 'key' | 'expected' | 'actual'>[] {
  const actual: { [Key in keyof Required<Expectation>]: unknown } = {
    busy: [...state.busy.keys()],
    cleanup: cleanups,
    thresholds: marksOf(state.thresholds),
    problems: problems.map((problem) => problem.code),
  };
  const wanted = { ...expected, ...(expected.busy && { busy: expected.busy.toSorted(compareWorkerIds) }) };
  return (Object.keys(wanted) as (keyof Expectation)[])
    .filter((key) => comparable(wanted[key]) !== comparable(actual[key]))
    .map((key) => ({ key, expected: wanted[key], actual: actual[key] }));
}

function marksOf(marks: LoadThresholds): LoadThresholds {
  const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
    marks;
  return { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac };
}

/** A text that is equal for equal values: keys in order, 64-bit integers and special floats kept. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner)))
      return String(inner);
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
