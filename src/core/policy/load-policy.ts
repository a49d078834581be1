import type { LoadThresholds } from './load-thresholds.js';

/** The kinds of event after which workers are judged again and the result is published. */
export type JudgedOn = 'load' | 'schedulerLoads' | 'configs' | 'instances' | 'thresholds';

/**
 * How many judged ranks must be busy for the worker to be busy: all, any one, or at least `atLeast` (all of them, when
 * there are fewer).
 */
export type RollUp = 'all' | 'any' | { readonly atLeast: number };

/** What happens to the loads of a worker that discovery does not know, and what makes a worker known. */
export type UnknownWorkers =
  | { readonly loads: 'tracked' }
  | { readonly loads: 'dropped'; readonly known: 'instance' }
  | { readonly loads: 'held'; readonly known: 'config'; readonly maximumWorkers: number };

/**
 * Whether the request path may set an overload mark on a worker, and what ends the mark: the next publication of busy
 * workers, or the next load of the worker itself; in any case `maximumMs` (`null`: no time limit).
 */
export type OverloadMarks =
  | 'ignored'
  | { readonly until: 'publication'; readonly maximumMs: number | null }
  | { readonly until: 'own-load'; readonly maximumMs: number };

/**
 * The metric series to remove for a worker that left.
 *
 * 1. `types`: the type of the watch that the worker left (`watched`), decode and prefill (`both`), the type of the pool
 *    (`own`), or the types under which the worker was known (`known`).
 * 2. `withoutRank`: also the latency series with the rank `"none"`.
 */
export type CleanupRule =
  'none' | { readonly types: 'watched' | 'both' | 'own' | 'known'; readonly withoutRank: boolean };

/** The load messages that a release accepts. */
export interface WirePolicy {
  /** The formats that are read. They are distinguished by the first byte. */
  readonly formats: readonly LoadFormat[];
  /** The numbers of elements that an `ActiveLoad` written as an array may have. */
  readonly positionalFields: readonly number[];
  /** Whether the payload of an envelope may be an array of integers. */
  readonly payloadAsArray: boolean;
  /** Whether the payload of an envelope may be a string. */
  readonly payloadAsString: boolean;
}

/** A format of load messages: the MessagePack envelope of 0.9 and later, and the two JSON forms before it. */
export type LoadFormat = 'envelope' | 'active-load-json' | 'load-event-json';

/**
 * The rules of judgement as plain data, with one cell for each property in which releases of Dynamo, or the needs of
 * users, differ. {@link policyCells} describes each cell in one sentence.
 *
 * To make your own policy, take a row of {@link policies} and change some cells.
 *
 * @example
 * ```ts
 * import { policies, type LoadPolicy } from 'tidemark';
 *
 * const anyRank: LoadPolicy = { ...policies.default, name: 'any-rank', rollUp: 'any' };
 * console.log(anyRank.rollUp);
 * // Logs: any
 * ```
 *
 * @see {@link policies}, {@link isBusy}
 */
export interface LoadPolicy {
  readonly name: string;
  readonly defaultThresholds: LoadThresholds;
  readonly batchFractionCheck: 'absent' | 'present';
  readonly storedFractions: 'exact' | 'ten-thousandths';
  readonly nullThreshold: 'no-change' | 'off';
  readonly thresholdValidation: 'none' | 'first-problem' | 'all-problems';
  readonly decodeSignal: 'active' | 'latched' | 'used-else-active';
  readonly ranksJudged: 'reported' | 'declared';
  readonly rollUp: RollUp;
  readonly withoutEvidence: 'free' | 'unknown';
  readonly rankRange: 'from-zero' | 'wrapping' | 'checked' | 'checked-and-reported';
  readonly capacity: 'merged' | 'reconciled';
  readonly configsThatCount: 'all' | 'joined' | 'joined-with-both-roles';
  readonly unknownWorkers: UnknownWorkers;
  readonly instanceLeft: 'stays' | 'not-busy' | 'forgotten' | 'forgotten-with-ranks';
  readonly judgedOn: readonly JudgedOn[];
  readonly overloadMarks: OverloadMarks;
  readonly reportedDown: 'ignored' | 'as-instance-left' | 'not-a-candidate';
  readonly loadsEnded: 'ends-monitor' | 'loads-stop' | 'stale';
  readonly configsEnded: 'idle' | 'ends-monitor' | 'stale';
  readonly instancesEnded: 'ignored' | 'ends-monitor' | 'stale';
  readonly stop: 'silent' | 'cleans-workers-without-config';
  readonly prefillWatches: 'none' | 'waits' | 'takes-over' | 'takes-over-and-cleans';
  readonly prefillForModel: 'ignored' | 'needed-while-registered';
  readonly cleanupOnInstanceLeft: CleanupRule;
  readonly cleanupOnConfigRemoved: CleanupRule;
  readonly cleanupOnRanksLeft: 'none' | 'ranks' | 'ranks-and-every-none';
  readonly wire: WirePolicy;
}

/** What each cell of a {@link LoadPolicy} decides, in one sentence, in the order of the table. */
export const policyCells = {
  defaultThresholds:
    'The thresholds in force when none was set: decode fraction / prefill tokens / fraction of the batch limit.',
  batchFractionCheck: 'Whether prefill tokens are also compared with a fraction of the batch limit.',
  storedFractions: 'Whether a fraction is kept exactly or truncated to 1/10000.',
  nullThreshold: 'What setting a threshold to null does.',
  thresholdValidation:
    'Whether thresholds set at run time are validated, and how many of their problems are reported.',
  decodeSignal:
    'Which block count is compared: active blocks, both signals through a latch, or used blocks if reported.',
  ranksJudged:
    'Whether all ranks that a config declares are judged, silent ones as never busy, or only ranks with values.',
  rollUp: 'How many judged ranks must be busy for the worker to be busy.',
  withoutEvidence:
    'The state of a worker about which nothing was heard, or whose values no set threshold can be compared with.',
  rankRange: 'Which ranks a config declares, and what an impossible range means.',
  capacity: 'Whether a new config of a worker adds to its capacities or replaces all of them.',
  configsThatCount: 'Whether a config needs an instance to count.',
  unknownWorkers: 'What happens to the loads of an unknown worker, and what makes a worker known.',
  instanceLeft: 'What is forgotten when the instance of a worker leaves.',
  judgedOn: 'After which kinds of event workers are judged again and the result is published.',
  overloadMarks: 'Whether the request path may set overload marks, and what ends them.',
  reportedDown: 'What happens when a worker is reported down.',
  loadsEnded: 'What happens when the source of loads ends.',
  configsEnded: 'What happens when the source of configs ends.',
  instancesEnded: 'What happens when the source of instances ends.',
  stop: 'Which metric series are removed on a stop.',
  prefillWatches: 'What a second watch on prefill instances does while another is open.',
  prefillForModel: 'Whether the state of a model includes its prefill workers.',
  cleanupOnInstanceLeft: 'Which metric series are removed when the instance of a worker leaves.',
  cleanupOnConfigRemoved: 'Which metric series are removed when the config of a worker is removed.',
  cleanupOnRanksLeft: 'Which metric series are removed when a config changes.',
  wire: 'Which load messages are read: formats, lengths of a positional load, forms of an envelope’s payload.',
} as const satisfies Record<Exclude<keyof LoadPolicy, 'name'>, string>;
